"""Storing: what a predictor writes becomes items that are found later.

collection_memory  A memory: what a predictor writes becomes items of an overlay of the collection
growing            Which retrievers can find what is written while they serve
session_storage    A memory as one session sees it: what it wrote at once, what others wrote once
"""

from reml.access.storing.collection_memory import CollectionMemory, OpenMemory

__all__ = ["CollectionMemory", "OpenMemory"]

"""Storing: what a predictor writes becomes items that are found later.

collection_memory, a memory of texts as an overlay of a collection; session_storage, a memory as one session sees it;
growing, which retrievers can find what is written.
"""

from reml.access.storing.collection_memory import CollectionMemory, OpenMemory

__all__ = ["CollectionMemory", "OpenMemory"]

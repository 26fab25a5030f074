"""Storing: what a predictor writes becomes items that are found later."""

from reml.access.storing.collection_memory import CollectionMemory, OpenMemory

__all__ = ["CollectionMemory", "OpenMemory"]

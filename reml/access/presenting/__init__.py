"""Presenting: what happens to the items between the search and the predictor."""

from reml.access.presenting.processors import DistinctPages, First

__all__ = ["DistinctPages", "First"]

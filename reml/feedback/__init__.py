"""Feedback from predictor to retriever: one file an objective."""

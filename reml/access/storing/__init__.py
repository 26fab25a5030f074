"""Storing: what a predictor writes becomes items that are found later."""

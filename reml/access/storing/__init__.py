"""Storing: what a predictor writes becomes items that are found later.

collection_memory  A storage handler: what a predictor writes becomes items of the collection it retrieves from
"""

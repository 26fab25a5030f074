"""What reads a query and an item together: cross_encoder scores by a sequence classifier.

cross_encoder  A cross-encoder: a transformer reads the query and the item together
"""

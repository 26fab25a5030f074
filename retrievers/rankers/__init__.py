"""What reads a query and an item together: cross_encoder scores by a sequence classifier.

bi_encoder     A bi-encoder as a ranker: query and item are encoded apart
cross_encoder  A cross-encoder: a transformer reads the query and the item together
"""

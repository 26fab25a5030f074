"""Training beyond one device or beyond its memory: shares, in-batch negatives, gradient cache.

gradient_cache      Learning from large batches in little memory
in_batch_negatives  In-batch negatives: for each example the items
sharding            Training a predictor in shares: each device holds its part of all parameters
shared_items        Items that all devices need, each encoded on one of them: in-batch negatives
wrapped_encoder     An encoder in front of another one, which gives vectors with gradient in a way of its own
"""

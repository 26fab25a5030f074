"""What encoders share: batches of tokens, dense pooling, sparse rows, a digest of weights.

clip_encoder    Images and texts as vectors of one space, by a CLIP of transformers, for searching and
dense_encoder   Texts as dense vectors by any transformers encoder, for searching and for training
kept_states     Vectors of items pooled from token states that are kept for a reader over the same model
pooling         From the states of a text's tokens to one vector, in every way that sentence-transformers names
projection      What stands between pooling and a vector: projections and layer norms
sparse_encoder  Texts as sparse vectors by a network with non-negative outputs, for searching the impact index
token_batches   Batches of token ids of like length, so that little is padded
"""

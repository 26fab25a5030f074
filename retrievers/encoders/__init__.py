"""What encoders share: batches of tokens, dense pooling, sparse rows, a digest of weights."""

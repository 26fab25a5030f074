"""What encoders share: batches of tokens, dense pooling, sparse rows."""

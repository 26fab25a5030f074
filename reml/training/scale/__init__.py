"""Training beyond one device or beyond its memory: shares, in-batch negatives, gradient cache."""

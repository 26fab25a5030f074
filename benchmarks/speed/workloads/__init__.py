"""What engines are timed on: corpora, vectors and queries, real and made."""

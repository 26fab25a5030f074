"""BM25 and BM25F over the impact index: counts once a collection, weights of any k1 and b from them."""

from reml.retrievers.bm25.bm25f import BM25F
from reml.retrievers.bm25.retriever import BM25

__all__ = ["BM25", "BM25F"]

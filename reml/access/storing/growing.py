"""Which retrievers can find what is written while they serve."""

from __future__ import annotations

from reml.contract.retrievers import GrowingRetriever, Retriever


def growing(retriever: Retriever) -> GrowingRetriever:
    """Give the retriever as one that takes new rows; `ValueError` if it cannot."""
    if isinstance(retriever, GrowingRetriever):
        return retriever
    raise ValueError(
        f"{type(retriever).__name__} cannot find what is written after it was built: leave out `storage`, or choose a "
        "retriever with `over` and `catch_up` (reml.contract.retrievers.GrowingRetriever), such as "
        "reml.retrievers.bm25.BM25 or reml.retrievers.dense.Dense."
    )

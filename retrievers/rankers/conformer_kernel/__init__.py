"""Conformer-Kernel with query-term independence: NDRM1, NDRM2 and NDRM3.

conformer  Conformer layers whose self-attention needs memory in a line with the number of words
explicit   NDRM2: exact matches of a query's term, with a saturation like BM25's that is learnt
network    The networks NDRM1 (latent), NDRM2 (exact matches) and NDRM3 (both): a score for each term of a query alone
ranker     A query's score is the sum of scores of its terms, each alone
"""

from reml.retrievers.rankers.conformer_kernel.network import Form
from reml.retrievers.rankers.conformer_kernel.ranker import ConformerKernel

__all__ = ["ConformerKernel", "Form"]

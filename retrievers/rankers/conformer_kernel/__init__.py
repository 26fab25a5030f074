"""Conformer-Kernel with query-term independence: NDRM1, NDRM2 and NDRM3.

conformer     Conformer layers whose self-attention needs memory in a line with the number of words
explicit      NDRM2: exact matches of a query's term, with a saturation like BM25's that is learnt
network       The networks NDRM1 (latent), NDRM2 (exact matches) and NDRM3 (both): a score for each term alone
ranker        A query's score is the sum of scores of its terms, each alone
term_encoder  Scores of terms computed ahead: what an item gives each term, which no other term changes
"""

from reml.retrievers.rankers.conformer_kernel.network import Form
from reml.retrievers.rankers.conformer_kernel.ranker import ConformerKernel
from reml.retrievers.rankers.conformer_kernel.term_encoder import Terms

__all__ = ["ConformerKernel", "Form", "Terms"]

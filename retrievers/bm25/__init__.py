"""BM25 and BM25F over the impact index: counts once a collection, weights of any k1 and b from them.

bm25f      BM25F: BM25 in which titles count more, or less, than texts
counts     The term counts of a collection's items on disk, from which every statistic
fields     Counts of titles apart from those of texts, joined under any weight of the title: the simple BM25F
folder     What a BM25 folder holds, and how it follows its collection
learning   BM25 learns k1 and b, and BM25F its title weight too, from feedback records
retriever  BM25 over the impact index: exact, in five variants
state      One commit of a BM25 folder: the files it is made of, on record with their sizes and digests
weighting  The formula of BM25 in five variants, and sparse vectors of the weights it gives to counts
"""

from reml.retrievers.bm25.bm25f import BM25F
from reml.retrievers.bm25.retriever import BM25

__all__ = ["BM25", "BM25F"]

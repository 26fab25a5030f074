"""One file an engine that is compared.

bm25s            bm25s: BM25 scores computed at indexing, summed by numba kernels. https
impact           Ours: BM25 and learned sparse vectors through the impact index
pisa             PISA: dynamic pruning over compressed inverted lists, in C++. https
scipy            SciPy: the product of two sparse matrices, then the largest entries of each row
seismic          Seismic: approximate search over learned sparse vectors, in Rust. https
tantivy          tantivy: a full-text engine in Rust, in the manner of Lucene. https
"""

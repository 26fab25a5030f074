"""What engines are timed on: corpora, vectors and queries, real and made.

corpus           Passages and queries with the statistics of English text, as term numbers, of any size
real_corpus      Real texts as term numbers: analysed once, so
real_texts       Real texts and what is asked of them: folders in BEIR's layout or KILT's
real_vectors     Real texts as a model encodes them: their vectors have the clusters and the skew that
text_collection  Texts that are read in order as a collection
vectors          Learned sparse vectors with the statistics of SPLADE's and of SNRM's, drawn at random
words            Made-up words for term numbers, so
workload         What is indexed and asked, on disk, the same for all engines; each reads it in a process of its own
zipf             Ranks drawn by Zipf's law as Mandelbrot shifted it: p(rank) ~ 1 / (rank + shift)
"""

"""What engines are timed on: corpora, vectors and queries, real and made.

corpus       Passages and queries with the statistics of English text, as term numbers, of any size
real_corpus  A real collection in BEIR's layout, as term numbers: analysed once, so
vectors      Learned sparse vectors with the statistics of SPLADE's and of SNRM's, drawn at random
words        Made-up words for term numbers, so
workload     What is indexed and asked, on disk, the same for all engines; each reads it in a process of its own
zipf         Ranks drawn by Zipf's law as Mandelbrot shifted it: p(rank) ~ 1 / (rank + shift)
"""

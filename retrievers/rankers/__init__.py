"""What orders what was found, by reading a query and an item: transformers, words compared by kernels, bi-encoders.

bi_encoder       A bi-encoder as a ranker: query and item are encoded apart
cross_encoder    A cross-encoder: a transformer reads the query and the item together
declared_scores  What a folder of sentence-transformers says of a cross-encoder's scores
kernel_pooling   What rankers that match word by word share: cosines, Gaussian kernels over them, positions of words
mono_t5          monoT5: an encoder-decoder reads query and item, and its first word says whether they fit
pair_network     Networks that score pairs word by word: their scores in batches, and their folders
pairs            Pairs of a query and an item, as rankers that read both at once are asked for their scores
tkl              TKL: words in local context, in the regions of a long text that match a query best
windows          Items longer than a ranker reads at once, in windows whose scores are combined: FirstP, MaxP, SumP
word_pieces      The word pieces of a transformers model and their embeddings

conformer_kernel/ scores a query as the sum of its terms, each alone, so that scores can be inverted. idcm/ reads those
windows of long items that a cheap student chooses. late_interaction/ has a vector for each token (ColBERT). kept/ is
what these keep of items on disk.
"""

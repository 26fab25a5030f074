"""What reads a query and an item together: a sequence classifier, or words compared by kernels; and bi-encoders.

bi_encoder      A bi-encoder as a ranker: query and item are encoded apart
cross_encoder   A cross-encoder: a transformer reads the query and the item together
kernel_pooling  What rankers that match word by word share: cosines, Gaussian kernels over them, positions of words
pair_network    Networks that score pairs word by word: their scores in batches, and their folders
tkl             TKL: words in local context, in the regions of a long text that match a query best
word_pieces     The word pieces of a transformers model and their embeddings

conformer_kernel/ scores a query as the sum of its terms, each alone, so that scores can be inverted.
"""

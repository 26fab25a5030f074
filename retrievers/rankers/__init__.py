"""What reads a query and an item together: cross_encoder scores by a sequence classifier. idcm/ reads long items.

bi_encoder       A bi-encoder as a ranker: query and item are encoded apart
cross_encoder    A cross-encoder: a transformer reads the query and the item together
declared_scores  What a folder of sentence-transformers says of a cross-encoder's scores
mono_t5          monoT5: an encoder-decoder reads query and item, and its first word says whether they fit
pairs            Pairs of a query and an item, as rankers that read both at once are asked for their scores
windows          Items longer than a ranker reads at once, in windows whose scores are combined: FirstP, MaxP, SumP
"""

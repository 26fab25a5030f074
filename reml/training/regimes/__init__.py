"""Who learns from what: independent, conditional and joint regimes, and rankings by themselves.

learners             The retrievers that learn in one regime: of the one access model that a predictor reads
ranking              Training a retriever by itself, from labels or from a teacher
reaching             Whether a loss reaches what is to learn by it
regimes              Who learns from what: each regime is an `nn.Module` from a batch to losses
retriever_objective  A retriever that learns: where its scores get their gradient, by which objective
selection            Training what selects the windows of long items, by the scores of what reads them
signal_cache         What a predictor that stays as it is says of fixed lists: asked once, kept
signals              Asking a predictor for what objectives need, and for what it says
sparsity             Keeping sparse vectors sparse while they are learnt: two regularisers, and numbers
"""

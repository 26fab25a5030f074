"""Marginal: each item is read alone, and what the items say is summed by how likely each was retrieved.

beam             Beam search over mixtures of next-token distributions
cached           Prefixes of answers over the cache of a model of transformers
causal           A causal language model that reads one item before each question
encoder_decoder  An encoder-decoder that reads each question with one item
generator        What marginals ask of a generator: likelihoods after pairs, and the next token step by step
marginals        Log p(y | x) from p(item | x) and log p(y | x, item): by answer, by token
rag              RAG: an answer's likelihood, and its decoding, marginal over the items
reader           A generator with what was retrieved: priors, targets, credit and answers
retgen           RetGen: a mixture of experts, trained by the items' weighted losses
sequence         Decoding by the marginal of whole answers: thorough and fast
"""

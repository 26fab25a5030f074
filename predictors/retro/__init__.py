"""RETRO: a language model that, after each chunk it has read, attends to neighbours of that chunk.

asking             What is asked for the chunks of texts, and the token ids of what was found
attention          Attention whose logits know how far a query and a key are apart, and chunked cross-attention
neighbour_encoder  Reads a neighbour both ways, with the chunk that it was found for in view
reader             A causal language model with chunked cross-attention after some of its layers, whole or step by step
retro              The predictor
"""

from reml.predictors.retro.reader import CrossAttention
from reml.predictors.retro.retro import Retro

__all__ = ["CrossAttention", "Retro"]

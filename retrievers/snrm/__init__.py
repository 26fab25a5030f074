"""SNRM: a standalone neural ranking model that learns sparse representations for an inverted index.

network       SNRM's network: n-grams of word embeddings through shared layers to sparse vectors
snrm          SNRM: a standalone neural ranking model that learns sparse representations for an inverted index
word_vectors  Word vectors that were trained before, such as GloVe's
"""

from reml.retrievers.snrm.network import Layers
from reml.retrievers.snrm.snrm import SNRM

__all__ = ["SNRM", "Layers"]

"""SNRM: a standalone neural ranking model that learns sparse representations for an inverted index.

beginning     New networks of SNRM: the words of a collection counted, and first weights from codes or at random
candidates    The outputs that an n-gram may switch on, by its middle word: no others are computed in encoding
codes         Where SNRM starts from when it starts from codes: two outputs a word, its own and that of its stem
lexicon       The words that SNRM's network knows, and the rows that stand for all others
network       SNRM's network: n-grams of word embeddings through shared layers to sparse vectors
ngrams        The n-grams of a batch of texts, each distinct one once, and outputs added up over those of a text
related       Outputs that words of like meaning share, learnt from a dense encoder without any label
snrm          SNRM: a standalone neural ranking model that learns sparse representations for an inverted index
word_vectors  Word vectors that were trained before, such as GloVe's
"""

from reml.retrievers.snrm.network import Layers
from reml.retrievers.snrm.related import Related
from reml.retrievers.snrm.snrm import SNRM

__all__ = ["SNRM", "Layers", "Related"]

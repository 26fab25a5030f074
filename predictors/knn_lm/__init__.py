"""Language models that also go by what came next where the context was alike (Khandelwal et al. 2020).

answers     KnnLm: answers questions, asking a datastore at each step
mixture     How much of p is that of the neighbours: one weight for all contexts, or a small net's for each
neighbours  What was found for a state, and the session that is asked
texts       TextKnnLm: says how likely whole texts are, in windows
windows     A text longer than a model takes, in windows that overlap
"""

from reml.predictors.knn_lm.answers import KnnLm
from reml.predictors.knn_lm.texts import TextKnnLm

__all__ = ["KnnLm", "TextKnnLm"]

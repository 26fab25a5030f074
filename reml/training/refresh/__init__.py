"""Refreshing the index that is searched while its encoder learns.

asynchronous    Refresh in another process while training goes on, as ANCE and REALM do
index_versions  The vectors that a training run searches, on disk, so that it goes on after a kill
live_examples   Retrieval inside the training loop: the items of a batch come
live_index      The index that a training run searches while its encoder learns: which vectors are in use
most_retrieved  Refresh of a few items at a time, those first that are retrieved most
policies        When the vectors of items are made anew while their encoder learns, and which
"""

from reml.training.refresh.asynchronous import Asynchronous
from reml.training.refresh.most_retrieved import MostRetrieved
from reml.training.refresh.policies import Every, Never

__all__ = ["Asynchronous", "Every", "MostRetrieved", "Never"]

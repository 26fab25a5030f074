"""Refreshing the index that is searched while its encoder learns."""

from reml.training.refresh.asynchronous import Asynchronous
from reml.training.refresh.most_retrieved import MostRetrieved
from reml.training.refresh.policies import Every, Never

__all__ = ["Asynchronous", "Every", "MostRetrieved", "Never"]

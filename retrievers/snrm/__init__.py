"""SNRM: a standalone neural ranking model that learns sparse representations for an inverted index."""

from reml.retrievers.snrm.network import Layers
from reml.retrievers.snrm.snrm import SNRM

__all__ = ["SNRM", "Layers"]

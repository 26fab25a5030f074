"""What rankers keep of the items of a collection on disk, so that a query costs no more than a comparison.

compression   Vectors in few bytes: half precision, whole numbers, residuals of two bits; terms with weights
item_vectors  The vectors of a collection's items on disk, mapped into memory
kept_encoder  An encoder that reads what is kept of items, and makes what is not
shelf         What a ranker keeps, for as long as its weights are the same
"""

from reml.retrievers.rankers.kept.compression import Form
from reml.retrievers.rankers.kept.item_vectors import ItemVectors
from reml.retrievers.rankers.kept.kept_encoder import KeptEncoder
from reml.retrievers.rankers.kept.shelf import Shelf

__all__ = ["Form", "ItemVectors", "KeptEncoder", "Shelf"]

"""Late interaction (ColBERT): a vector for each token, and the best of an item for each token of a query.

compression    Token vectors in few bytes: half precision, whole numbers, residuals of two bits
ranker         The scores of pairs, from vectors made now or kept on disk
token_encoder  A vector for each token of a query or an item, by any transformers encoder
token_vectors  The token vectors of a collection on disk, compressed and mapped into memory
"""

from reml.retrievers.rankers.late_interaction.compression import Form
from reml.retrievers.rankers.late_interaction.ranker import LateInteraction
from reml.retrievers.rankers.late_interaction.token_encoder import TokenReading
from reml.retrievers.rankers.late_interaction.token_vectors import TokenVectors

__all__ = ["Form", "LateInteraction", "TokenReading", "TokenVectors"]

"""Late interaction (ColBERT): a vector for each token, and the best of an item for each token of a query.

ranker         The scores of pairs, from vectors made now or kept on disk
token_encoder  A vector for each token of a query or an item, by any transformers encoder
"""

from reml.retrievers.rankers.late_interaction.ranker import LateInteraction
from reml.retrievers.rankers.late_interaction.token_encoder import TokenReading

__all__ = ["LateInteraction", "TokenReading"]

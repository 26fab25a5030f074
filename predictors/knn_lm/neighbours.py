"""What was found for a state: distances, and the tokens that came next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from reml.contract.access import Session
from reml.contract.collections import Collection, OfModel
from reml.contract.retrieved import Queries
from reml.contract.vectors import Int64Array
from reml.text.language_model import LanguageModel
from reml.text.token_table import tokeniser_fingerprint

TARGET = "target"
_AGAIN = "build the datastore with this model (`model` of States)."


@dataclass(frozen=True, eq=False, slots=True)
class Neighbours:
    """What was found for Q states: the score of each of K neighbours, -inf where there is none, and its token, [Q, K].

    A score is the negative squared distance, divided by a temperature.
    """

    scores: Tensor
    tokens: Tensor

    @property
    def there(self) -> Tensor:
        """Whether anything was found, bool [Q]."""
        return torch.isfinite(self.scores).any(dim=1)

    @property
    def log_shares(self) -> Tensor:
        """Give log p of each neighbour, [Q, K], -inf where there is none."""
        safe = self.scores.masked_fill(~self.there[:, None], 0.0)
        return torch.log_softmax(safe, dim=1).masked_fill(~torch.isfinite(self.scores), -torch.inf)

    def log_likelihood(self, tokens: Tensor) -> Tensor:
        """Give log p_kNN of one token for each query, [Q], -inf where no neighbour has it."""
        right = (self.tokens == tokens[:, None]) & torch.isfinite(self.scores)
        some = right.any(dim=1)
        # Rows without it are computed with all, and taken out: the gradient of a sum of nothing is not a number.
        kept = self.log_shares.masked_fill(~right & some[:, None], -torch.inf).masked_fill(~some[:, None], 0.0)
        return kept.logsumexp(dim=1).masked_fill(~some, -torch.inf)

    def distribution(self, size: int) -> Tensor:
        """Give p_kNN of all tokens, [Q, V]: the shares of equal tokens are summed."""
        shares = self.log_shares.exp()
        return shares.new_zeros((len(shares), size)).scatter_add(1, self.tokens, shares)


def ask(
    session: Session, owners: Int64Array, states: Tensor, *, k: int, temperature: float, vocabulary: int
) -> Neighbours | None:
    """Ask for the k neighbours of states [Q, D] of these examples; nothing where nothing can be found.

    `ValueError` for a token that the model does not know.
    """
    found = session.ask(Queries(owners, states=states.detach()), k)
    if not found.k:
        return None
    try:
        tokens = session.values(TARGET, found).to(states.device)
    except KeyError as error:
        raise ValueError(
            f"kNN-LM reads what came next at states, and the items that it is given do not say ({error.args[0]}). Give "
            "it an access model whose retriever is reml.retrievers.states.States."
        ) from error
    _check_tokens(tokens, vocabulary)
    scores = found.scores.float().masked_fill(~found.mask, -torch.inf).to(states.device)
    return Neighbours(scores / temperature, tokens)


def check_tokeniser(collections: Mapping[str, Collection], lm: LanguageModel) -> None:
    """Raise `ValueError` for a datastore whose tokens are numbers of another tokeniser."""
    for name, collection in collections.items():
        own = tokeniser_fingerprint(lm.tokeniser)
        if isinstance(collection, OfModel) and collection.tokeniser not in {"", own}:
            raise ValueError(
                f"the datastore {name!r} holds tokens of another tokeniser than that of {lm.name!r}: {_AGAIN}"
            )


def check_model(collections: Mapping[str, Collection], lm: LanguageModel) -> None:
    """Raise `ValueError` for a datastore of states of another model, or of other weights."""
    check_tokeniser(collections, lm)
    for name, collection in collections.items():
        if isinstance(collection, OfModel) and collection.model not in {"", lm.fingerprint()}:
            raise ValueError(f"the datastore {name!r} holds states of another model than {lm.name!r}: {_AGAIN}")


def _check_tokens(tokens: Tensor, vocabulary: int) -> None:
    if tokens.numel() and int(tokens.max()) >= vocabulary:
        raise ValueError(f"the datastore holds token {int(tokens.max())}, and the model knows {vocabulary}: {_AGAIN}")

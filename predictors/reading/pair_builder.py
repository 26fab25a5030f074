"""Examples and responses -> inputs: tokenises questions, takes the tokens of items from a table made once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example, Item, Provenance
from reml.contract.retrieved import Responses
from reml.files.atomic import digest
from reml.predictors.reading.pairs import Frame, Pairs, pairs, readable, window
from reml.predictors.reading.pointers import index_of
from reml.predictors.reading.sampling import Output
from reml.text.models.transformers_types import PreTrainedTokenizerFast
from reml.text.token_table import Ids, ItemTokens, TokenTable, token_ids, tokeniser_fingerprint, tokens_of

MENTION = "[START_ENT]"


@dataclass(frozen=True, eq=False, slots=True)
class Reading:
    """A batch as it is read: the inputs, and by example the input's tokens, the items and their tokens by place."""

    pairs: Pairs
    asked: tuple[Ids, ...]
    items: tuple[dict[int, Item], ...]
    tokens: tuple[dict[int, ItemTokens], ...]

    def provenance(self, number: int, first: Sequence[int] = ()) -> tuple[Provenance, ...]:
        """Point to the items of an example: those at the places `first`, then the others as they were retrieved."""
        items = self.items[number]
        order = dict.fromkeys([*first, *items])
        return tuple(Provenance.of(items[place]) for place in order if place in items)

    def answers(self, outputs: Sequence[Output]) -> list[Answer]:
        """Make an answer of an output for each example."""
        return [Answer(one.text, self.provenance(number, one.first)) for number, one in enumerate(outputs)]


class PairBuilder:
    """Makes inputs of at most `limit` tokens, at most half of them the question's.

    indexed: whether an input says which place its item has (`reml.predictors.reading.pointers`).
    """

    def __init__(self, tokeniser: PreTrainedTokenizerFast, frame: Frame, limit: int, *, indexed: bool = False) -> None:
        if limit < 16:
            raise ValueError(f"input_tokens must be at least 16, not {limit}: a question and a passage must fit.")
        self.tokeniser = tokeniser
        self.frame = frame
        self.limit = limit
        self.indexed = indexed
        self._marker = np.array(token_ids(tokeniser, [MENTION])[0])
        self._tables: list[TokenTable] = []

    def prepare(self, collections: Iterable[Collection], folder: Path) -> None:
        """Tokenise each collection once; without this, items are tokenised each time they are read."""
        for fingerprint, collection in {one.fingerprint: one for one in collections}.items():
            name = f"tokens-{digest(fingerprint, tokeniser_fingerprint(self.tokeniser))}"
            self._tables.append(TokenTable.build_or_open(collection, self.tokeniser, folder / name))

    def __call__(
        self, examples: Sequence[Example], responses: Responses, inputs: Sequence[Ids] | None = None
    ) -> Reading:
        """Tokenise and frame a batch; `ValueError` if the examples and the responses do not fit.

        inputs: tokens that are read in place of those of the examples' inputs.
        """
        if not examples or len(examples) != len(responses):
            raise ValueError(
                f"{len(examples)} examples but {len(responses)} responses: give one for each, at least one."
            )
        items = readable(responses)
        tokens = self._tokens(items)
        ids = inputs if inputs is not None else token_ids(self.tokeniser, [example.input for example in examples])
        asked = [np.array(question, dtype=np.int64) for question in ids]
        questions = [window(question, self._marker, self.limit // 2) for question in asked]
        pad = self.tokeniser.pad_token_id
        indexes = self._indexes(responses.k) if self.indexed else ()
        built = pairs(
            questions, tokens, self.frame, limit=self.limit, pad=0 if pad is None else int(pad), indexes=indexes
        )
        return Reading(built, tuple(asked), tuple(items), tuple(tokens))

    def _indexes(self, k: int) -> list[Ids]:
        return [np.array(ids) for ids in token_ids(self.tokeniser, [index_of(place) for place in range(k)])]

    def _tokens(self, items: Sequence[dict[int, Item]]) -> list[dict[int, ItemTokens]]:
        flat = [item for given in items for item in given.values()]
        found = iter(tokens_of(flat, self._tables, self.tokeniser))
        return [{place: next(found) for place in given} for given in items]

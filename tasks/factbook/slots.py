"""Slot filling: `Chad [SEP] capital`, a page's title and the name of a relation, as in T-REx and zsRE."""

from __future__ import annotations

from collections.abc import Iterator

from reml.contract.examples import Example
from reml.tasks.by_digest import Split
from reml.tasks.factbook.questions import answers, slug
from reml.tasks.factbook.relations import facts
from reml.tasks.factbook.splits import subjects


def slots(split: Split) -> Iterator[Example]:
    """Yield one slot for each fact of the split's countries; the relations' names are the same in all splits."""
    for page in subjects(split):
        for fact in facts(page.page.id).values():
            yield Example(
                id=f"slot_{page.page.id}_{slug(fact.relation.name)}",
                input=f"{page.page.title} [SEP] {fact.relation.name}",
                output=answers(fact),
                meta={"relation": fact.relation.name},
            )

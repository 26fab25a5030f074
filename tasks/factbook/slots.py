"""Slot filling: `Chad [SEP] capital`, a page's title and the name of a relation, as in T-REx and zsRE."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from reml.contract.examples import Example
from reml.tasks.by_digest import Draft, Split
from reml.tasks.factbook.questions import answers, slug
from reml.tasks.factbook.relations import Fact, facts
from reml.tasks.factbook.splits import subjects


def slots(split: Split) -> Iterator[Draft]:
    """Draft one slot for each fact of the split's countries; the relations' names are the same in all splits."""
    for page in subjects(split):
        for fact in facts(page.page.id).values():
            example_id = f"slot_{page.page.id}_{slug(fact.relation.name)}"
            yield Draft(example_id, (page.page.id,), functools.partial(_slot, example_id, fact))


def _slot(example_id: str, fact: Fact) -> Example:
    return Example(
        id=example_id,
        input=f"{fact.part.title} [SEP] {fact.relation.name}",
        output=answers(fact),
        meta={"relation": fact.relation.name},
    )

"""Fact checking: claims that a page SUPPORTS or REFUTES, as in FEVER.

A refuted claim states the value that the same relation has for another country, of the same region where there is one.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from reml.contract.examples import Answer, Example
from reml.tasks.by_digest import Draft, Split, choose, in_order
from reml.tasks.factbook.pages import factbook_pages
from reml.tasks.factbook.questions import name_in_sentence, sentence, slug
from reml.tasks.factbook.relations import Fact, Wording, facts
from reml.tasks.factbook.splits import subjects

EVERYWHERE = ""


def claims(split: Split) -> Iterator[Draft]:
    """Draft one claim for each fact of the split's countries, in the order of sampling.

    Labels alternate, so that every even number of them from the first on is balanced. The evidence of either label is
    the true value.
    """
    pages = [page.page.id for page in subjects(split)]
    known = {claim_id(fact): fact for page_id in pages for fact in facts(page_id).values()}
    refutable = {example_id: false_value(fact) for example_id, fact in known.items()}
    for number, example_id in enumerate(in_order(key for key, value in refutable.items() if value is not None)):
        fact, false = known[example_id], refutable[example_id] if number % 2 else None
        yield Draft(example_id, (fact.part.page_id,), functools.partial(_claim, example_id, fact, false, split))


def _claim(example_id: str, fact: Fact, false: str | None, split: Split) -> Example:
    """Claim a false value, or the true one where there is none."""
    kind: Wording = "claims" if split == "train" else "held_out_claims"
    wording = choose(fact.relation.wordings[kind], "claim", example_id)
    return Example(
        id=example_id,
        input=sentence(wording, x=name_in_sentence(fact.part), y=fact.value if false is None else false),
        output=(Answer("SUPPORTS" if false is None else "REFUTES", (fact.part.evidence(fact.start, fact.end),)),),
        meta={"relation": fact.relation.name, "wording": kind},
    )


def claim_id(fact: Fact) -> str:
    """Name the claim about a fact."""
    return f"claim_{fact.part.page_id}_{slug(fact.relation.name)}"


def false_value(fact: Fact) -> str | None:
    """Choose a value of another country that the fact's own field does not mention, if there is one."""
    within = _values_by_region()[fact.relation.name]
    for region in (factbook_pages()[fact.part.page_id].region, EVERYWHERE):
        values = within[region]
        start = values.index(choose(values, "false value", claim_id(fact)))
        rotated = chain(values[start:], values[:start])
        false = next((value for value in rotated if not _mentions(fact, value)), None)
        if false is not None:
            return false
    return None


@functools.cache
def _values_by_region() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Give the values of each relation in the pages of each region, and everywhere, a region after the other."""
    table: dict[str, dict[str, list[str]]] = {}
    for page in factbook_pages().values():
        for name, fact in facts(page.page.id).items():
            table.setdefault(name, {}).setdefault(page.region, []).append(fact.value)
    return {name: {**regions, EVERYWHERE: [*chain.from_iterable(regions.values())]} for name, regions in table.items()}


def _mentions(fact: Fact, value: str) -> bool:
    """Tell whether the field has the value in any form, so that a claim of it might be true after all."""
    return value.casefold() in fact.part.text.casefold() or _key(value) in map(_key, fact.values)


def _key(value: str) -> Sequence[str]:
    # Sorted, so that `red, white` and `white, red` are one.
    return sorted(re.findall(r"\w+", value.casefold()))

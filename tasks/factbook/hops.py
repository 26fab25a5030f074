"""Multi-hop QA: the subject is described by its relation to another country and never named, as in HotpotQA."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reml.contract.examples import Answer, Example, Provenance
from reml.tasks.by_digest import Draft, Split, choose
from reml.tasks.factbook.aliases import page_named
from reml.tasks.factbook.names import in_sentence
from reml.tasks.factbook.pages import FactbookPage
from reml.tasks.factbook.questions import choose_wording, sentence, slug
from reml.tasks.factbook.relations import Fact, facts
from reml.tasks.factbook.splits import split_of, subjects

_NEIGHBOR = re.compile(r"(?P<name>[^\d;]+?) (?P<length>[\d,.]+) km")


@dataclass(frozen=True, slots=True)
class Hop:
    """A step from one country to another, and where the first page says so."""

    page: FactbookPage
    evidence: Provenance


@dataclass(frozen=True, slots=True)
class Bridge:
    """A way from one country to another; the wordings describe the other by the one, `{x}`."""

    name: str
    find: Callable[[FactbookPage], Hop | None]
    wordings: tuple[str, ...]
    held_out: tuple[str, ...]


def multi_hops(split: Split) -> Iterator[Draft]:
    """Draft one question for each bridge of the split's countries and each fact of the country it leads to.

    No country that a question of dev or test leads to is asked for in training: bridges of training stay within
    training. `meta` names the bridge and the relation.
    """
    for page in subjects(split):
        for bridge in BRIDGES:
            hop = bridge.find(page)
            if hop is not None and (split_of(hop.page.page.id) == "train") == (split == "train"):
                begun = f"hop_{page.page.id}_{slug(bridge.name)}"
                for fact in facts(hop.page.page.id).values():
                    example_id = f"{begun}_{slug(fact.relation.name)}"
                    make = functools.partial(_question, example_id, page, bridge, hop, fact=fact, split=split)
                    yield Draft(example_id, (page.page.id, hop.page.page.id), make)


def _question(example_id: str, page: FactbookPage, bridge: Bridge, hop: Hop, *, fact: Fact, split: Split) -> Example:
    kind, wording = choose_wording(fact, split)
    described = choose(bridge.wordings if split == "train" else bridge.held_out, "bridge", example_id)
    evidence = (hop.evidence, fact.part.evidence(fact.start, fact.end))
    return Example(
        id=example_id,
        input=sentence(wording, x=described.format(x=in_sentence(page.page.id, page.page.title))),
        output=tuple(Answer(value, evidence) for value in fact.values),
        meta={"bridge": bridge.name, "relation": fact.relation.name, "wording": kind},
    )


def longest_border(page: FactbookPage) -> Hop | None:
    """Go to the neighbor with the longest land border, if one is longer than all others."""
    part = page.part("Land boundaries", "border countries")
    neighbors = list(_NEIGHBOR.finditer(part.text)) if part is not None else []
    ranked = sorted(neighbors, key=lambda match: -float(match["length"].replace(",", "")))
    if part is None or not ranked or (len(ranked) > 1 and ranked[0]["length"] == ranked[1]["length"]):
        return None
    first = ranked[0]
    start = first.start() + len(first[0]) - len(first[0].lstrip("; "))
    return _hop(page, first["name"].strip(), part.evidence(start, first.end()))


def by_relation(name: str) -> Callable[[FactbookPage], Hop | None]:
    """Make a bridge's step of a relation whose values are countries."""

    def find(page: FactbookPage) -> Hop | None:
        fact = facts(page.page.id).get(name)
        return _hop(page, fact.value, fact.part.evidence(fact.start, fact.end)) if fact is not None else None

    return find


def _hop(page: FactbookPage, name: str, evidence: Provenance) -> Hop | None:
    other = page_named(name)
    return Hop(other, evidence) if other is not None and other.page.id != page.page.id else None


BRIDGES = (
    Bridge(
        "longest border",
        longest_border,
        (
            "the country with which {x} shares its longest land border",
            "the border country that has the longest land boundary with {x}",
        ),
        ("the neighbor that meets {x} on the longest stretch of frontier",),
    ),
    Bridge(
        "first export partner",
        by_relation("first export partner"),
        (
            "the country that is the first export partner of {x}",
            "the country that ranks first among the export partners of {x}",
        ),
        ("the country that is the best customer of {x}",),
    ),
    Bridge(
        "first import partner",
        by_relation("first import partner"),
        (
            "the country that is the first import partner of {x}",
            "the country that ranks first among the import partners of {x}",
        ),
        ("the country that is the main supplier of {x}",),
    ),
    Bridge(
        "independence",
        by_relation("independence from"),
        (
            "the country from which {x} gained independence",
            "the country that {x} declared its independence from",
        ),
        ("the country that once ruled over {x}",),
    ),
)

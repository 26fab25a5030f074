"""The table of relations: which characters of a page are the value of a relation, and how one asks for it.

The table itself is data, `relation_table/*.yaml`; `relation_table/README.md` says what its keys mean.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Literal, cast

from reml.files.yaml_files.reading import parse_yaml
from reml.tasks.factbook.pages import FactbookPage, Part, factbook_pages
from reml.tasks.factbook.values import other_forms

Wording = Literal["questions", "held_out", "oblique", "claims", "held_out_claims", "follow_ups", "held_out_follow_ups"]


Row = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation between a page and a value: the field that holds it and its wordings."""

    name: str
    field: str
    part: str
    pattern: re.Pattern[str]
    wordings: Mapping[Wording, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Fact:
    """What a relation is for a page: characters `start` to `end` of a part; `others` are right as well."""

    relation: Relation
    part: Part
    start: int
    end: int
    others: tuple[str, ...]

    @property
    def value(self) -> str:
        """The value as the page has it."""
        return self.part.text[self.start : self.end]

    @property
    def values(self) -> tuple[str, ...]:
        """All right values, that of the page first."""
        return (self.value, *self.others)


@functools.cache
def relations() -> tuple[Relation, ...]:
    """Read the table once a process."""
    folder = resources.files("reml.tasks.factbook") / "relation_table"
    files = sorted((path for path in folder.iterdir() if path.name.endswith(".yaml")), key=lambda path: path.name)
    tables = [cast("list[Row]", parse_yaml(path.read_text(encoding="utf-8"))) for path in files]
    return tuple(_relation(row) for table in tables for row in table)


@functools.cache
def facts(page_id: str) -> Mapping[str, Fact]:
    """Give what is known of a page by the name of the relation, in the order of the table."""
    page = factbook_pages()[page_id]
    found = ((relation.name, find_fact(page, relation)) for relation in relations())
    return {name: fact for name, fact in found if fact is not None}


def find_fact(page: FactbookPage, relation: Relation) -> Fact | None:
    """Give the value of a relation for a page, if the page has one that is clean."""
    part = page.part(relation.field, relation.part)
    match = relation.pattern.match(part.text) if part is not None else None
    if part is None or match is None:
        return None
    groups = match.groupdict()
    others = [groups.get("alternative"), groups.get("long"), *other_forms(match["value"])]
    distinct = dict.fromkeys(other for other in others if other and other != match["value"])
    return Fact(relation, part, match.start("value"), match.end("value"), tuple(distinct))


def _relation(row: Row) -> Relation:
    keys: tuple[Wording, ...] = (
        "questions",
        "held_out",
        "oblique",
        "claims",
        "held_out_claims",
        "follow_ups",
        "held_out_follow_ups",
    )
    return Relation(
        name=str(row["name"]),
        field=str(row["field"]),
        part=str(row.get("part", "")),
        pattern=re.compile(str(row["pattern"])),
        wordings={key: tuple(row[key]) for key in keys},
    )

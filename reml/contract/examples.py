"""What is predicted and from what: pages, items, examples and answers, with the names of KILT's records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


Measure = Literal["accuracy", "em", "f1", "rougel"]


@dataclass(frozen=True, slots=True)
class Span:
    """Where a text stands in its page: paragraph numbers and character offsets in them, the end exclusive."""

    start_paragraph: int
    start_character: int
    end_paragraph: int
    end_character: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a knowledge source as KILT has it: `paragraphs[0]` is the title, the text starts at 1."""

    id: str
    title: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One row of a collection. `row` is its stable id, never reused; `span` is where it stands in its page."""

    row: int
    text: str
    title: str
    page_id: str
    span: Span


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an answer comes from, with the names of KILT's record. What the record leaves out is `None`."""

    wikipedia_id: str
    title: str | None = None
    start_paragraph_id: int | None = None
    start_character: int | None = None
    end_paragraph_id: int | None = None
    end_character: int | None = None
    bleu_score: float | None = None
    section: str | None = None
    text: str | None = None
    meta: Mapping[str, Json] | None = None

    @classmethod
    def of(cls, item: Item) -> Provenance:
        """Point to the whole of a retrieved item."""
        span = item.span
        return cls(
            wikipedia_id=item.page_id,
            title=item.title,
            start_paragraph_id=span.start_paragraph,
            start_character=span.start_character,
            end_paragraph_id=span.end_paragraph,
            end_character=span.end_character,
            text=item.text,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer and where it comes from, best first. In gold records either part may be missing."""

    text: str | None = None
    provenance: tuple[Provenance, ...] = ()
    meta: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """KILT's record. Each output is one right answer with one sufficient set of evidence; a test split has none."""

    id: str
    input: str
    output: tuple[Answer, ...] = ()
    meta: Mapping[str, Json] = field(default_factory=dict)

    @property
    def answers(self) -> tuple[str, ...]:
        """The distinct right answers, in the order of the record."""
        return tuple(dict.fromkeys(answer.text for answer in self.output if answer.text))

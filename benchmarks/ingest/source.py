"""A knowledge source in KILT's schema and of KILT's lengths, of made-up words, of any size.

Words follow Zipf's law and are spelled 5.2 letters long on average, as English is; a fifth of paragraphs have a letter
beyond Latin-1, as in minikilt. All fields of KILT's records are there, links among them, so that a page has KILT's
6,321 bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reml.benchmarks.ingest.shape import Entry, page_shapes
from reml.benchmarks.speed.workloads.corpus import SHIFT
from reml.benchmarks.speed.workloads.words import words
from reml.benchmarks.speed.workloads.zipf import zipf_ranks
from reml.contract.examples import Json

TERMS = 500_000
BATCH = 1_000
# Of so many words one begins a link; it makes up what a page's text and other fields leave of its bytes.
LINKED = 34
CATEGORY_WORDS = 18
# Made-up words are 3.5 letters long; those from this rank on are given three more.
RARE = 1_000
# One rare word in so many ends in a letter beyond Latin-1, which doubles the memory of the text it stands in.
FOREIGN = 200


@dataclass(frozen=True, slots=True)
class SyntheticSource:
    """`pages` pages; a larger source of the same seed begins with them."""

    pages: int
    seed: int = 0

    def lines(self) -> Iterator[bytes]:
        """Yield the pages as KILT has them, one JSON object a line."""
        for first in range(0, self.pages, BATCH):
            generator = np.random.default_rng((self.seed, first))
            batch = enumerate(_records(generator, first), start=first)
            for _, record in islice(batch, self.pages - first):
                yield json.dumps(record, ensure_ascii=False).encode() + b"\n"

    def write(self, path: Path) -> int:
        """Write the pages to a file; give its bytes."""
        with path.open("wb") as stream:
            stream.writelines(self.lines())
        return path.stat().st_size


def copy_pages(source: Path, target: Path, *, pages: int) -> None:
    """Copy the first `pages` pages of a file to another one."""
    with source.open("rb") as lines, target.open("wb") as stream:
        stream.writelines(islice(lines, pages))


@cache
def vocabulary() -> npt.NDArray[np.object_]:
    """Give the words by rank."""
    made = words(TERMS)
    endings = [made[rank % RARE][:2] + ("ő" if rank % FOREIGN == 0 else "n") for rank in range(TERMS)]
    return np.array(made[:RARE] + [word + end for word, end in zip(made[RARE:], endings[RARE:], strict=True)], object)


def _records(generator: np.random.Generator, first: int) -> Iterator[Json]:
    shapes = list(page_shapes(generator, BATCH))
    counts = [sum(entry.words for entry in shape) + CATEGORY_WORDS for shape in shapes]
    ranks = zipf_ranks(generator, sum(counts), TERMS, SHIFT)
    spelled = iter(vocabulary()[ranks].tolist())
    for number, shape in enumerate(shapes, start=first + 1):
        yield _record(number, shape, spelled)


def _record(number: int, shape: Sequence[Entry], spelled: Iterator[str]) -> Json:
    texts, links = [], []
    for place, entry in enumerate(shape):
        chosen = list(islice(spelled, entry.words))
        texts.append(f"{entry.start}{' '.join(chosen)}\n")
        links += _links(place, len(entry.start), chosen) if place else []
    title = texts[0].rstrip()
    return {
        "_id": str(number),
        "wikipedia_id": str(number),
        "wikipedia_title": title,
        "text": texts,
        "anchors": links,
        "categories": ",".join(islice(spelled, CATEGORY_WORDS)),
        "wikidata_info": _wikidata(number, title),
        "history": _history(number),
    }


def _wikidata(number: int, title: str) -> Json:
    return {
        "description": f"one of the pages about {title}",
        "enwikiquote_title": None,
        "wikidata_id": f"Q{number}",
        "wikidata_label": title,
        "wikipedia_title": title,
        "aliases": {"alias": [title]},
    }


def _history(number: int) -> Json:
    revision = 910_000_000 + number
    return {
        "pageid": number,
        "parentid": revision - 1,
        "revid": revision,
        "pre_dump": True,
        "timestamp": "2019-08-01T00:00:00Z",
        "url": f"https://en.wikipedia.org/w/index.php?title={number}&oldid={revision}",
    }


def _links(place: int, start: int, chosen: Sequence[str]) -> list[Json]:
    """Link two words here and there in an entry to the page of their name."""
    links: list[Json] = []
    for first in range(LINKED // 2, len(chosen) - 1, LINKED):
        text = " ".join(chosen[first : first + 2])
        begin = start + len(" ".join(chosen[:first])) + 1
        links.append(
            {
                "paragraph_id": place,
                "start": begin,
                "end": begin + len(text),
                "text": text,
                "href": text.replace(" ", "%20"),
                "wikipedia_title": text,
                "wikipedia_id": str(len(text) * 100_000 + begin),
            }
        )
    return links

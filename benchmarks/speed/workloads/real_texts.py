"""Real texts and what is asked of them: folders in BEIR's layout or KILT's, alone or several as one corpus.

BEIR's layout has `corpus.jsonl.gz` (title, text) and `queries.jsonl.gz` (text); KILT's `knowledge_source.jsonl.gz` and
`NAME-dev-kilt.jsonl.gz`, whose inputs are the set of queries NAME. A set of BEIR's is called as its folder.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reml.collection.passages.words import HEADING
from reml.collection.sources.kilt_pages import JsonlPages
from reml.files.lines import json_lines
from reml.files.records import read_examples

CORPUS, QUERIES = "corpus.jsonl.gz", "queries.jsonl.gz"
PAGES, DEV = "knowledge_source.jsonl.gz", "-dev-kilt.jsonl.gz"
JOINS: Final = "+"


@dataclass(frozen=True, slots=True)
class RealTexts:
    """Documents of folders (BEIR) and paragraphs of pages (KILT), cut every `words` words, or whole with 0.

    sets: which sets of queries are asked, all unless any is given.
    """

    folders: Sequence[Path]
    words: int = 0
    sets: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The names of the folders."""
        return JOINS.join(folder.resolve().name for folder in self.folders)

    def missing(self) -> str:
        """Say what the folders lack of a corpus; "" if they are one."""
        told = [reason for folder in self.folders if (reason := _missing(folder))]
        if told or not self.sets:
            return "; ".join(told)
        there = self._names()
        unknown = [name for name in self.sets if name not in there]
        return f"{self.name} has no queries {', '.join(unknown)}: there are {', '.join(there)}" if unknown else ""

    def texts(self) -> Iterator[str]:
        """Give all passages, title and text, folder by folder."""
        for title, text in itertools.chain.from_iterable(map(_documents, self.folders)):
            for part in self._cut(text):
                yield f"{title} {part}".strip()

    def queries(self, count: int) -> dict[str, list[str]]:
        """Give the first `count` queries of each set."""
        return {
            name: list(itertools.islice(_questions(path), count))
            for name, path in self._names().items()
            if not self.sets or name in self.sets
        }

    def _cut(self, text: str) -> Iterator[str]:
        words = text.split() if self.words else []
        if not words:
            yield text
        for start in range(0, len(words), self.words or 1):
            yield " ".join(words[start : start + self.words])

    def _names(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for folder in self.folders:
            if (folder / CORPUS).is_file():
                found[folder.resolve().name] = folder / QUERIES
            else:
                found |= {path.name.removesuffix(DEV): path for path in sorted(folder.glob(f"*{DEV}"))}
        return found


def _documents(folder: Path) -> Iterator[tuple[str, str]]:
    """Give title and text of each document, of each paragraph of a page."""
    if (folder / CORPUS).is_file():
        for _, record in json_lines(folder / CORPUS, json.loads):
            yield record.get("title") or "", record["text"]
        return
    for page in JsonlPages(folder / PAGES).pages():
        for paragraph in page.paragraphs[1:]:
            if paragraph.strip() and not paragraph.startswith(HEADING):
                yield page.title, paragraph.strip()


def _questions(path: Path) -> Iterator[str]:
    if path.name.endswith(DEV):
        yield from (example.input for example in read_examples(path))
        return
    for _, record in json_lines(path, json.loads):
        yield f"{record.get('title') or ''} {record['text']}".strip()


def _missing(folder: Path) -> str:
    beir = [name for name in (CORPUS, QUERIES) if not (folder / name).is_file()]
    if not beir or ((folder / PAGES).is_file() and any(folder.glob(f"*{DEV}"))):
        return ""
    return f"{folder} has no {' and no '.join(beir)} (BEIR's layout), and not {PAGES} and NAME{DEV} (KILT's)"

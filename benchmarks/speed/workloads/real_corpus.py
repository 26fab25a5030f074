"""A real collection in BEIR's layout, as term numbers: analysed once, so that all engines search the same terms.

The folder has `corpus.jsonl.gz` (title, text) and `queries.jsonl.gz` (text), one JSON object a line.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

import numpy as np

from reml.contract.vectors import Int32Array, Int64Array
from reml.files.lines import json_lines
from reml.text.analysis import Analyser

FILES = ("corpus.jsonl.gz", "queries.jsonl.gz")


class RealCorpus:
    """The documents and queries of a folder; terms are numbered in the order they are met."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._analyser = Analyser()

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.folder.resolve().name

    @property
    def rows(self) -> int:
        """The number of documents."""
        return len(self._documents[1])

    @property
    def width(self) -> int:
        """The number of terms."""
        return len(self._numbers)

    def token_batches(self) -> Iterator[tuple[Int32Array, Int64Array]]:
        """Give all documents as one batch: their tokens, one document behind the other, and their lengths."""
        yield self._documents

    def queries(self, count: int) -> Mapping[str, list[Int32Array]]:
        """Give the first `count` queries that have a term of the documents, each term once."""
        _ = self._documents  # numbers the terms
        texts = (self._analyser(text) for text in _lines(self.folder / FILES[1]))
        numbered = ([self._numbers[term] for term in terms if term in self._numbers] for terms in texts)
        known = (np.unique(np.array(numbers, dtype=np.int32)) for numbers in numbered if numbers)
        return {"its queries": list(itertools.islice(known, count))}

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {}

    @cached_property
    def _documents(self) -> tuple[Int32Array, Int64Array]:
        texts = [self._analyser(text) for text in _lines(self.folder / FILES[0])]
        numbers = [self._numbers.setdefault(term, len(self._numbers)) for term in itertools.chain.from_iterable(texts)]
        return np.array(numbers, dtype=np.int32), np.array([len(terms) for terms in texts], dtype=np.int64)


def missing_files(folder: Path) -> str:
    """Say what a folder lacks of a real corpus; "" if it is one."""
    absent = [name for name in FILES if not (folder / name).is_file()]
    return f"{folder} has no {' and no '.join(absent)}" if absent else ""


def _lines(path: Path) -> Iterator[str]:
    for _, record in json_lines(path, json.loads):
        yield f"{record.get('title') or ''} {record['text']}".strip()

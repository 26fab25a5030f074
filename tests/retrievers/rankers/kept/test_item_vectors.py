from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch

from reml.contract.examples import Item
from reml.contract.vectors import MultiVectors
from reml.files.atomic import CorruptError, StaleError
from reml.retrievers.rankers.kept import Form, ItemVectors
from reml.retrievers.rankers.late_interaction.token_encoder import TokenEncoder
from reml.testing import TEXTS, MemoryCollection
from tests.damage import flip
from tests.dying import dies, memory_folder
from tests.retrievers.rankers.late_interaction.small import PLAIN

COLLECTION = MemoryCollection(TEXTS)


@pytest.fixture(scope="module")
def encoder(small_bert: str) -> TokenEncoder:
    return TokenEncoder.load(small_bert, PLAIN)


@pytest.mark.parametrize(("form", "near"), [("float16", 1e-3), ("int8", 0.02), ("residual", 1.0)])
def test_what_is_kept_is_what_the_encoder_makes(encoder: TokenEncoder, tmp_path: Path, form: Form, near: float) -> None:
    items = COLLECTION.get(COLLECTION.rows())
    ItemVectors.build(tmp_path / "kept", COLLECTION, encoder, form)
    kept = ItemVectors(tmp_path / "kept")
    places = kept.places(items[::-1], encoder)
    assert places.tolist() == [4, 3, 2, 1, 0]
    read, made = kept.get(places), encoder.encode_items(items[::-1])
    assert read.indptr.tolist() == made.indptr.tolist()
    assert np.linalg.norm(read.values - made.values, axis=1).max() < near
    assert kept.bytes_an_item * len(kept) == (tmp_path / "kept" / "codes.bin").stat().st_size
    assert len(kept.get(places[:0])) == 0


def test_an_item_that_is_shown_otherwise_is_not_found(encoder: TokenEncoder, tmp_path: Path) -> None:
    kept = ItemVectors.build(tmp_path / "kept", COLLECTION, encoder)
    first, second = COLLECTION.get(np.array([0, 1]))
    shown = [replace(first, text="The lazy dog."), second, replace(second, row=77), replace(first, row=1)]
    assert kept.places(shown, encoder).tolist() == [-1, 1, -1, -1]


def test_a_folder_is_opened_again_and_refused_to_others(encoder: TokenEncoder, small_bert: str, tmp_path: Path) -> None:
    ItemVectors.build(tmp_path / "kept", COLLECTION, encoder)
    written = (tmp_path / "kept" / "codes.bin").stat().st_mtime_ns
    assert len(ItemVectors.build(tmp_path / "kept", COLLECTION, encoder)) == 5
    assert (tmp_path / "kept" / "codes.bin").stat().st_mtime_ns == written
    other = TokenEncoder.load(small_bert, replace(PLAIN, title=False))
    for wrong in (
        functools.partial(ItemVectors.build, tmp_path / "kept", MemoryCollection(TEXTS[:2]), encoder),
        functools.partial(ItemVectors.build, tmp_path / "kept", COLLECTION, other),
        functools.partial(ItemVectors.build, tmp_path / "kept", COLLECTION, encoder, "float16"),
    ):
        with pytest.raises(StaleError, match=r"another collection or encoder, or in another form\. Delete that"):
            wrong()
    flip(tmp_path / "kept" / "codes.bin", 3)
    with pytest.raises(CorruptError, match=r"codes\.bin is not what was written. Delete that folder"):
        ItemVectors(tmp_path / "kept")


def test_a_collection_without_items_or_texts_is_kept(encoder: TokenEncoder, tmp_path: Path) -> None:
    empty = ItemVectors.build(tmp_path / "none", MemoryCollection([]), encoder, "residual")
    assert empty.places(COLLECTION.get(np.array([0])), encoder).tolist() == [-1]
    silent = MemoryCollection(["", "river"], ["", ""])
    kept = ItemVectors.build(tmp_path / "silent", silent, encoder)
    assert np.diff(kept.get(kept.places(silent.get(silent.rows()), encoder)).indptr).tolist() == [0, 1]


def test_vectors_that_are_no_numbers_are_refused(small_bert: str, tmp_path: Path) -> None:
    broken = TokenEncoder.load(small_bert, PLAIN)
    with torch.no_grad():
        next(broken.module.parameters()).fill_(torch.nan)
    with pytest.raises(ValueError, match=r"vectors of the item 0 \('Page 0'\) are not finite"):
        ItemVectors.build(tmp_path / "kept", COLLECTION, broken)
    assert not (tmp_path / "kept").exists()


class Letters:
    """A vector for each letter, without a model: what is killed need not load one."""

    width = 26

    def fingerprint(self) -> str:
        return "letters"

    def text_of(self, item: Item) -> str:
        return item.text

    def encode_items(self, items: Sequence[Item]) -> MultiVectors:
        texts = [[ord(one) - 97 for one in item.text if "a" <= one <= "z"] for item in items]
        ends = np.cumsum([0, *map(len, texts)], dtype=np.int64)
        return MultiVectors(ends, np.eye(26, dtype=np.float32)[list(chain.from_iterable(texts))])


def build(folder: Path) -> None:
    ItemVectors.build(folder / "kept", COLLECTION, Letters())


def test_a_killed_build_leaves_nothing_or_all() -> None:
    with memory_folder() as place:
        for instant in (6,):
            folder = place / f"killed-{instant}"
            folder.mkdir()
            died = dies(build, folder, instant)
            if (folder / "kept").exists():
                assert len(ItemVectors(folder / "kept")) == 5
            build(folder)
            assert len(ItemVectors(folder / "kept")) == 5
            assert [path.name for path in folder.iterdir() if not path.name.startswith(".")] == ["kept"]
            assert died

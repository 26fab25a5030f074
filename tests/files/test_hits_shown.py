from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reml.contract.examples import Item, Span
from reml.contract.retrieved import Hits, Shown
from reml.files.hits import SHOWN, open_hits, save_hits

ITEM = Item(3, "as it is kept", "T", "p", Span(1, 0, 1, 13))


def hits() -> Hits:
    """Two queries; the same row is shown otherwise to each, once without a span; text 1 is nobody's."""
    rows = np.array([[5, 3, -1], [3, -1, -1]])
    spans = np.array([[1, 3, 1, 5], [9, 9, 9, 9], [-1, -1, -1, -1]])
    shown = Shown(np.array([[-1, 0, -1], [2, -1, -1]]), ("it", "nobody's", "ça\n是"), spans)
    return Hits(rows, np.where(rows >= 0, 1.0, -np.inf).astype(np.float32), shown)


def read(found: Hits) -> list[list[Item]]:
    assert found.shown is not None
    return [[found.shown.item(ITEM, number) for number in row] for row in found.shown.at.tolist()]


def test_texts_come_back_as_they_were_shown(tmp_path: Path) -> None:
    save_hits(tmp_path, hits())
    again = open_hits(tmp_path)
    assert read(again) == read(hits())
    assert read(again)[0] == [ITEM, Item(3, "it", "T", "p", Span(1, 3, 1, 5)), ITEM]
    assert read(again)[1][0] == Item(3, "ça\n是", "T", "p")
    assert again.shown is not None
    assert list(again.shown.texts) == ["it", "ça\n是"], "what nobody is shown is left out"
    assert again.shown.texts[0:1] == ["it"]


def test_they_are_cut_and_chosen_with_the_rows(tmp_path: Path) -> None:
    save_hits(tmp_path, hits())
    for found in (hits(), open_hits(tmp_path)):
        assert read(found.first(1)) == [[ITEM], [Item(3, "ça\n是", "T", "p")]]
        assert read(found.take(np.array([1]))) == read(hits())[1:]
        assert read(found.take(slice(1, 2)).first(2)) == [read(hits())[1][:2]]


def test_hits_whose_items_are_as_they_are_kept_have_no_such_file(tmp_path: Path) -> None:
    save_hits(tmp_path, Hits(hits().rows, hits().scores))
    assert not (tmp_path / SHOWN).exists()
    assert open_hits(tmp_path).shown is None


def test_what_is_shown_has_a_place_for_each_row() -> None:
    with pytest.raises(ValueError, match="must both be"):
        Hits(np.array([[1]]), np.zeros((1, 1), np.float32), Shown(np.array([1]), (), np.empty((0, 4), np.int64)))

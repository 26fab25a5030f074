from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reml.contract.examples import Item, Span
from reml.files.atomic import CorruptError, StaleError
from reml.testing import MemoryCollection
from reml.text.token_table import ItemTokens, TokenTable, token_ids, tokenise
from tests.damage import flip
from tests.predictors.conftest import tiny_tokeniser

TOKENISER = tiny_tokeniser()
COLLECTION = MemoryCollection(["the capital", "", "of chad is a city"], ["chad", "france", ""])


def _lists(tokens: list[ItemTokens]) -> list[tuple[list[int], list[int]]]:
    return [(one.title.tolist(), one.text.tolist()) for one in tokens]


def test_tokens_of_rows_come_in_the_order_asked(tmp_path: Path) -> None:
    table = TokenTable.build_or_open(COLLECTION, TOKENISER, tmp_path / "table", batch_size=2)
    chad, france, capital, text = token_ids(TOKENISER, ["chad", "france", "the capital", "of chad is a city"])
    assert _lists(table.take(np.array([2, 0, 2, 1]))) == [([], text), (chad, capital), ([], text), (france, [])]
    assert len(table) == 3
    assert table.ids.dtype == np.uint16


def test_a_row_that_is_not_there_is_named(tmp_path: Path) -> None:
    table = TokenTable.build_or_open(COLLECTION, TOKENISER, tmp_path / "table")
    with pytest.raises(KeyError, match=r"\[7\] are not in the token table of 3 items"):
        table.take(np.array([0, 7]))


def test_a_second_call_opens_what_the_first_built(tmp_path: Path) -> None:
    TokenTable.build_or_open(COLLECTION, TOKENISER, tmp_path / "table")
    before = (tmp_path / "table" / "ids.bin").stat()
    TokenTable.build_or_open(COLLECTION, TOKENISER, tmp_path / "table")
    after = (tmp_path / "table" / "ids.bin").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_tokens_of_another_collection_are_refused_and_rebuilt(tmp_path: Path) -> None:
    TokenTable.build_or_open(COLLECTION, TOKENISER, tmp_path / "table")
    other = MemoryCollection(["a river"])
    with pytest.raises(StaleError, match="made anew"):
        TokenTable.open(other, TOKENISER, tmp_path / "table")
    assert len(TokenTable.build_or_open(other, TOKENISER, tmp_path / "table")) == 1


def test_tokens_of_another_tokeniser_are_refused(tmp_path: Path) -> None:
    TokenTable.build_or_open(COLLECTION, TOKENISER, tmp_path / "table")
    other = tiny_tokeniser()
    other.add_tokens(["fleuve"])
    with pytest.raises(StaleError, match="tokeniser"):
        TokenTable.open(COLLECTION, other, tmp_path / "table")


def test_a_file_cut_short_is_refused_and_rebuilt(tmp_path: Path) -> None:
    folder = tmp_path / "table"
    whole = _lists(TokenTable.build_or_open(COLLECTION, TOKENISER, folder).take(np.arange(3)))
    ids = (folder / "ids.bin").read_bytes()
    (folder / "ids.bin").write_bytes(ids[:-1])
    with pytest.raises(CorruptError, match=r"ids\.bin"):
        TokenTable.open(COLLECTION, TOKENISER, folder)
    assert _lists(TokenTable.build_or_open(COLLECTION, TOKENISER, folder).take(np.arange(3))) == whole


def test_a_flipped_bit_is_told_and_the_table_built_again(tmp_path: Path) -> None:
    folder = tmp_path / "table"
    whole = _lists(TokenTable.build_or_open(COLLECTION, TOKENISER, folder).take(np.arange(3)))
    for name in ("ids", "rows", "bounds", "checks"):
        flip(folder / f"{name}.bin", -2)
        with pytest.raises(CorruptError, match=rf"{name}\.bin is not what was written"):
            TokenTable.open(COLLECTION, TOKENISER, folder)
        assert _lists(TokenTable.build_or_open(COLLECTION, TOKENISER, folder).take(np.arange(3))) == whole


def test_an_empty_collection_has_an_empty_table(tmp_path: Path) -> None:
    table = TokenTable.build_or_open(MemoryCollection([]), TOKENISER, tmp_path / "table")
    assert len(table) == 0
    assert _lists(table.of([_item(0, "chad")])) == _lists(tokenise(TOKENISER, [_item(0, "chad")]))


def test_an_item_whose_text_was_changed_is_read_as_it_is_now(tmp_path: Path) -> None:
    table = TokenTable.build_or_open(COLLECTION, TOKENISER, tmp_path / "table")
    changed, new, known = _item(0, "a river"), _item(9, "a city"), COLLECTION.get(np.array([2]))[0]
    river, city, text = token_ids(TOKENISER, ["a river", "a city", known.text])
    assert [one.text.tolist() for one in table.of([changed, known, new])] == [river, text, city]


def test_known_items_are_not_tokenised_again(tmp_path: Path) -> None:
    table = TokenTable.build_or_open(COLLECTION, TOKENISER, tmp_path / "table")
    tokens = table.of(COLLECTION.get(np.array([0])))[0]
    assert np.shares_memory(tokens.text, table.ids)


def test_a_killed_build_leaves_nothing_that_opens(tmp_path: Path) -> None:
    class Failing(MemoryCollection):
        def batches(self, size: int, start: int = 0):  # type: ignore[no-untyped-def]
            yield self._items[:1]
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        TokenTable.build_or_open(Failing(["a", "b"]), TOKENISER, tmp_path / "table")
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.text("chad' 1é", max_size=12), st.text("of the,", max_size=30)), max_size=12))
def test_the_table_holds_what_the_tokeniser_says(
    tmp_path_factory: pytest.TempPathFactory, pages: list[tuple[str, str]]
) -> None:
    collection = MemoryCollection([text for _, text in pages], [title for title, _ in pages])
    folder = tmp_path_factory.mktemp("tables")
    table = TokenTable.build_or_open(collection, TOKENISER, folder / "table", batch_size=3)
    items = collection.get(np.arange(len(pages)))
    assert _lists(table.take(np.arange(len(pages)))) == _lists(tokenise(TOKENISER, items)) == _lists(table.of(items))
    shutil.rmtree(folder)


def _item(row: int, text: str) -> Item:
    return Item(row, text, "", "p", Span(1, 0, 1, len(text)))

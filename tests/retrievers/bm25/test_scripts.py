"""What is searched for in texts of any script."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from reml.collection.disk import create_collection
from reml.contract.retrieved import Queries
from reml.contract.retrievers import ExplainingRetriever, Retriever
from reml.experiment.settings.identity import identity
from reml.experiment.settings.settings_of import settings_of
from reml.retrievers.bm25 import BM25, BM25F
from reml.retrievers.fusion import Fusion
from reml.retrievers.snrm import SNRM
from reml.testing import MemoryCollection
from reml.text.analysis import RULES

TEXTS = (
    "Beyoncé is an American singer.",
    "हिन्दी भारत की एक प्रमुख भाषा है।",
    "東京は日本の首都である。",
    "กรุงเทพมหานครเป็นเมืองหลวง",
    "서울은 한국의 수도이다.",
    "ភ្នំពេញជារាជធានី",
    "Москва — столица России.",
    "القاهرة عاصمة مصر",
    "日本茶が好きです",
    "C is older than R.",
    "?!",
    "to be or not to be a",
    "ກຸງວຽງຈັນ",
    "ရန်ကုန်မြို့",
)


@pytest.fixture(scope="module")
def retriever(tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    folder = tmp_path_factory.mktemp("scripts") / "index"
    decomposed = [unicodedata.normalize("NFD", text) if number % 2 else text for number, text in enumerate(TEXTS)]
    return BM25(title=False).index(MemoryCollection(decomposed), folder)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(
    ("query", "row"),
    [
        ("Beyoncé", 0),
        ("BEYONCÉ", 0),
        ("हिन्दी", 1),
        ("भारत", 1),
        ("東京", 2),
        ("首都", 2),
        ("京", 2),
        ("กรุงเทพ", 3),
        ("เมืองหลวง", 3),
        ("서울", 4),
        ("한국", 4),
        ("ភ្នំពេញ", 5),
        ("россии", 6),
        ("القاهرة", 7),
        ("茶", 8),
        ("ວຽງຈັນ", 12),
        ("ရန်ကုန်", 13),
    ],
)
def test_both_sides_are_read_alike(retriever: Retriever, query: str, row: int, form: Literal["NFC", "NFD"]) -> None:
    hits = retriever.search(Queries.of([unicodedata.normalize(form, query)]), 1)
    assert hits.rows.tolist() == [[row]]
    scores = retriever.score(Queries.of([query]), hits.rows)
    np.testing.assert_allclose(scores.numpy(), hits.scores, rtol=1e-5)


def test_what_is_not_found_is_explained(retriever: Retriever) -> None:
    assert isinstance(retriever, ExplainingRetriever)
    assert retriever.why_nothing("C") == (
        "the query holds only single letters or digits ('c'), which are not searched for"
    )
    assert retriever.why_nothing("Λίμα") == "no passage has the word 'λίμα', nor any word in Greek letters"
    assert retriever.why_nothing("大阪") == "no passage has the word '大阪'"


def test_words_of_deleted_items_are_in_no_passage(tmp_path: Path) -> None:
    collection = create_collection(tmp_path / "collection")
    collection.append_texts(["zebra lion", "lion"])
    collection.delete(np.array([0]))
    gone = BM25().index(collection, tmp_path / "index")
    assert isinstance(gone, ExplainingRetriever)
    assert gone.why_nothing("zebra") == "no passage has the word 'zebra'"
    assert "some with words of it" in gone.why_nothing("zebra lion")


def test_a_fusion_says_what_its_parts_say(tmp_path: Path) -> None:
    fused = Fusion([BM25(), BM25F()]).index(MemoryCollection(["zebra"]), tmp_path)
    assert isinstance(fused, ExplainingRetriever)
    assert fused.why_nothing("quagga") == "no passage has the word 'quagga'"


@pytest.mark.parametrize("settings", [BM25(title=False), BM25F(title_weight=2.0)])
def test_texts_without_a_word_are_counted_when_they_are_indexed(
    settings: BM25 | BM25F, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.index(MemoryCollection(TEXTS, [""] * len(TEXTS)), tmp_path / "index")
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith("2 of 14 texts hold no word that is searched for, so that no query finds them;")
    assert "(row 10)" in message
    assert "(row 11)" in message
    caplog.clear()
    settings.index(MemoryCollection(TEXTS, [""] * len(TEXTS)), tmp_path / "index")
    settings.index(MemoryCollection(["said", "well said"]), tmp_path / "other")
    assert not caplog.records


@pytest.mark.parametrize("settings", [BM25(), BM25F()])
def test_a_title_alone_counts_once(settings: BM25 | BM25F, tmp_path: Path) -> None:
    """As BEIR's reference joins titles and texts: title, space, text, whichever there are."""
    alone = settings.index(MemoryCollection(["", "zebra"], ["zebra", ""]), tmp_path / "index")
    found = alone.search(Queries.of(["zebra"]), 2)
    assert found.scores[0, 0] == found.scores[0, 1]


@pytest.mark.parametrize(
    ("settings", "since"), [(BM25(), 0), (BM25F(), 0), (SNRM(), 1), (Fusion([BM25(), BM25F()]), 0)]
)
def test_an_experiment_makes_anew_what_other_rules_cut(settings: object, since: int) -> None:
    """`since`: how often what it makes changed for other reasons."""
    assert f'"version": {RULES + since}' in json.dumps(identity(settings_of(settings)))

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reml.benchmarks.ingest.source import SyntheticSource, copy_pages, vocabulary
from reml.collection.sources.kilt_pages import JsonlPages
from reml.contract.examples import Json

KILT_BYTES = 37_318_876_722 / 5_903_530


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("source") / "pages.jsonl"
    SyntheticSource(1_500).write(made)
    return made


def records(path: Path) -> list[dict[str, Json]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_pages_are_as_long_as_kilt_s_and_can_be_read(path: Path) -> None:
    assert path.stat().st_size / 1_500 == pytest.approx(KILT_BYTES, rel=0.1)
    pages = list(JsonlPages(path).pages())
    assert [page.id for page in pages] == [str(number) for number in range(1, 1_501)]
    assert all(page.paragraphs[0] == f"{page.title}\n" for page in pages)


def test_words_are_as_long_as_english_and_a_fifth_of_paragraphs_is_wide(path: Path) -> None:
    paragraphs = [text for page in JsonlPages(path).pages() for text in page.paragraphs[1:] if "::::" not in text]
    words = " ".join(paragraphs).split()
    assert sum(map(len, words)) / len(words) == pytest.approx(5.2, abs=0.25)
    assert sum(max(map(ord, text)) > 255 for text in paragraphs) / len(paragraphs) == pytest.approx(0.2, abs=0.05)


def test_links_point_at_the_words_they_link(path: Path) -> None:
    found = 0
    for record in records(path)[:300]:
        texts, links = record["text"], record["anchors"]
        assert isinstance(texts, list)
        assert isinstance(links, list)
        for link in links:
            assert isinstance(link, dict)
            text = texts[link["paragraph_id"]]
            assert text[link["start"] : link["end"]] == link["text"]
            found += 1
    assert found > 300


def test_a_source_is_the_same_for_a_seed_and_begins_as_a_larger_one(tmp_path: Path, path: Path) -> None:
    assert list(SyntheticSource(1_100).lines()) == path.read_bytes().splitlines(keepends=True)[:1_100]
    assert next(SyntheticSource(1, seed=1).lines()) != next(SyntheticSource(1).lines())
    copy_pages(path, tmp_path / "part", pages=70)
    assert (tmp_path / "part").read_bytes() == b"".join(SyntheticSource(70).lines())


def test_words_are_spelled_in_one_way_each() -> None:
    words = vocabulary().tolist()
    assert len(set(words)) == len(words) == 500_000

from __future__ import annotations

import gzip
import json
import math
import statistics
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from reml.benchmarks.ingest.shape import BULLET, PARAGRAPH_WORDS, TITLE_WORDS, Entry, page_shapes
from reml.collection.passages import HEADING


@pytest.fixture(scope="module")
def shapes() -> list[list[Entry]]:
    return list(page_shapes(np.random.default_rng(0), 20_000))


def test_pages_have_as_many_entries_and_passages_of_prose_as_kilt_s(shapes: list[list[Entry]]) -> None:
    assert len(shapes) == 20_000
    assert statistics.mean(map(len, shapes)) == pytest.approx(111_789_997 / 5_903_530, rel=0.03)
    prose = [sum(words for start, words in shape[1:] if not start) for shape in shapes]
    assert statistics.mean(math.ceil(words / 100) for words in prose) == pytest.approx(22_220_793 / 5_903_530, rel=0.03)


def test_a_page_is_a_title_then_paragraphs_with_headings_before_and_lists_behind(shapes: list[list[Entry]]) -> None:
    kinds = [[start for start, _ in shape] for shape in shapes]
    assert all(kind[0] == "" and len(kind) > 1 for kind in kinds)
    assert all(words >= 1 for shape in shapes for _, words in shape)
    after = [(first, second) for kind in kinds for first, second in pairwise(kind[1:])]
    assert {second for first, second in after if first == HEADING} == {""}
    assert {first for first, second in after if second == BULLET} == {"", BULLET}


def test_lengths_are_fitted_to_real_pages(shared: Path) -> None:
    with gzip.open(shared / "minikilt" / "knowledge_source.jsonl.gz", "rb") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    paragraphs = [len(part.split()) for text in texts for part in text[1:] if not part.startswith(HEADING)]
    assert len(paragraphs) == 41_472
    for real, law in ((paragraphs, PARAGRAPH_WORDS), ([len(text[0].split()) for text in texts], TITLE_WORDS)):
        logarithms = np.log(real)
        assert (logarithms.mean(), logarithms.std()) == pytest.approx(law, abs=0.01)
    whole = [text[1:] for text in texts if len(text) >= 8]
    headings = sum(part.startswith(HEADING) for text in whole for part in text)
    assert headings / (sum(map(len, whole)) - headings) == pytest.approx(0.45, abs=0.005)

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.access.querying import DecomposedQuery, RewrittenQuery
from reml.contract.access import QueryGenerator
from reml.contract.examples import Example, Media
from reml.retrievers.bm25.retriever import BM25
from reml.testing import MemoryCollection, QueryGeneratorContract


@dataclass
class Replying:
    """A writer that replies what it was given for the last line of a prompt, and keeps the prompts."""

    replies: dict[str, str]
    prompts: list[str] = field(default_factory=list)

    def write(self, prompts: Sequence[str]) -> list[str]:
        self.prompts += prompts
        return [self.replies.get(prompt.rpartition("\n")[2], "") for prompt in prompts]


class Mute:
    def write(self, prompts: Sequence[str]) -> list[str]:
        return []


WRITTEN = {
    "Who rules Chad?": '  "ruler of\nChad"\n',
    "Capital of Chad's neighbour?": (
        '1. Which is the neighbour?\n\n- "What is its capital?"\n2) which is the NEIGHBOUR?\nx'
    ),
}


def examples(*texts: str) -> list[Example]:
    return [Example(str(place), text) for place, text in enumerate(texts)]


class TestRewritten(QueryGeneratorContract):
    def make(self) -> QueryGenerator:
        return RewrittenQuery(Replying(WRITTEN))


class TestDecomposed(QueryGeneratorContract):
    def make(self) -> QueryGenerator:
        return DecomposedQuery(Replying(WRITTEN))


def test_a_query_is_written_of_each_input_once(caplog: pytest.LogCaptureFixture) -> None:
    writer = Replying(WRITTEN)
    with caplog.at_level(logging.WARNING):
        queries = RewrittenQuery(writer, "Of\n{text}")(examples("Who rules Chad?", "Unknown {x}", "Who rules Chad?"))
    assert queries.texts == ("ruler of Chad", "Unknown {x}", "ruler of Chad")
    assert queries.owners.tolist() == [0, 1, 2]
    assert writer.prompts == ["Of\nWho rules Chad?", "Of\nUnknown {x}"]
    assert "Replying wrote no query for 1 of 2 inputs" in caplog.text


@pytest.mark.parametrize(("most", "count"), [(1, 1), (2, 2), (4, 3)])
def test_a_question_is_parted(most: int, count: int) -> None:
    parts = ("Which is the neighbour?", "What is its capital?", "x")[:count]
    given = examples("Capital of Chad's neighbour?", "Who rules Chad?")
    queries = DecomposedQuery(Replying(WRITTEN), "{text}", most=most)(given)
    lines = ("ruler of", "Chad")[:most]
    assert queries.texts == (*parts, *lines)
    assert queries.owners.tolist() == [0] * count + [1] * len(lines)


def test_numbers_and_dashes_within_a_line_stay() -> None:
    writer = Replying({"a": "3.5 million people\n-5 degrees\nCOVID-19 (1) cases"})
    assert DecomposedQuery(writer, "{text}")(examples("a")).texts == (
        "3.5 million people",
        "-5 degrees",
        "COVID-19 (1) cases",
    )


def test_the_lists_of_the_parts_are_fused(tmp_path: Path) -> None:
    retriever = BM25().index(MemoryCollection(["alpha", "beta", "gamma"]), tmp_path / "bm25")
    parted = DecomposedQuery(Replying({"q": "gamma\nalpha"}), "{text}")
    access = InformationAccess(retriever, parted, limits=Limits(depth=3, k=2), name="wiki")
    found = access.open(examples("q")).ask()
    assert sorted(found.rows[0].tolist()) == [0, 2]


def test_what_has_media_alone_asks_with_them() -> None:
    picture = Media("image", "a.png")
    given = [Example("1", "", media=(picture,)), *examples("Who rules Chad?")]
    queries = RewrittenQuery(Replying(WRITTEN), "{text}")(given)
    assert queries.contents == (picture, "ruler of Chad")


def test_wrong_writers_and_prompts_are_named() -> None:
    with pytest.raises(ValueError, match="Mute wrote 0 texts for 1 prompts"):
        RewrittenQuery(Mute())(examples("a"))
    with pytest.raises(ValueError, match=r"it must have \{text\}"):
        DecomposedQuery(Mute(), "Part it.")
    with pytest.raises(ValueError, match="most is 0"):
        DecomposedQuery(Mute(), most=0)

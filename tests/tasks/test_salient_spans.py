"""The task of salient spans: sentences with a mask, the same in every process, and their control."""

from __future__ import annotations

import re

import pytest

from reml.contract.examples import MASK, OWN_PAGE, Page
from reml.contract.tasks import Task
from reml.tasks.salient_spans import SalientSpans
from reml.testing import TaskContract
from tests.memory_pages import MemoryPages

TEXT = "The long coast of Peru has 2,414 km. It was left by Spain on 28 July 1821. Nothing is said of it in here."
PAGES = [Page(f"p{number}", f"Land {number}", (f"Land {number}", "Section::::Coast.", TEXT)) for number in range(40)]


def task(kind: str = "salient", **settings: object) -> SalientSpans:
    return SalientSpans(MemoryPages(PAGES), kind, **settings)  # type: ignore[arg-type]


class TestSalientSpans(TaskContract):
    splits = ("train", "dev", "test")

    def make(self) -> Task:
        return task()


class TestRandomSpans(TestSalientSpans):
    def make(self) -> Task:
        return task("random")


def test_a_span_of_each_sentence_that_has_one_is_masked() -> None:
    examples = [example for split in ("train", "dev", "test") for example in task().examples(split)]
    assert len(examples) == 2 * len(PAGES), "the last sentence says nothing"
    for example in examples:
        (answer,) = example.answers
        assert example.input.replace(MASK, answer) in TEXT
        assert answer in ("Peru", "2,414", "Spain", "28 July 1821")
        assert example.id.startswith(f"salient:{example.meta[OWN_PAGE]}:2:")
        assert not example.output[0].provenance
        assert example.unanswered.meta[OWN_PAGE] == example.meta[OWN_PAGE], "g is told when it is asked to answer, too"
    assert {example.answers[0] for example in examples} == {"Peru", "2,414", "Spain", "28 July 1821"}


def test_a_page_is_of_one_split() -> None:
    pages = [{example.meta[OWN_PAGE] for example in task().examples(split)} for split in ("train", "dev", "test")]
    assert sum(map(len, pages)) == len(set[object]().union(*pages)) == len(PAGES)
    assert len(pages[0]) > len(pages[1]) > 0


def test_random_spans_are_as_long_and_of_the_same_sentences() -> None:
    pairs = list(zip(task().examples("train"), task("random").examples("train"), strict=True))
    by_sentence = {one.id.partition(":")[2]: one for one, _ in pairs}
    differ = 0
    for _, example in pairs:
        other = by_sentence[example.id.partition(":")[2]]
        (said,), (salient,) = example.answers, other.answers
        assert example.input.replace(MASK, said) == other.input.replace(MASK, salient)
        assert len(said.split()) == len(salient.split())
        assert re.fullmatch(r"\w.*\w", said)
        differ += said != salient
    assert differ > len(pairs) / 2


def test_only_the_spans_that_are_wanted_are_masked() -> None:
    assert {one.answers[0] for one in task(spans=["dates"]).examples("train")} == {"28 July 1821"}


def test_a_long_sentence_is_cut_around_its_span() -> None:
    words = [f"w{number}" for number in range(40)]
    for place in (0, 1, 20, 39):
        text = " ".join([*words[:place], "Peru", *words[place:]])
        source = MemoryPages([Page(f"p{number}", "Peru", ("Peru", text)) for number in range(9)])
        examples = SalientSpans(source, spans=["names"], words=7).examples("train")
        first = max(0, min(place - 3, 34))
        assert [one.input for one in examples] == [
            " ".join([*words[first:place], MASK, *words[place : first + 6]])
        ] * len(examples)
        assert examples


def test_limits() -> None:
    assert [one.id for one in task(limit=3).examples("train")] == [one.id for one in task().examples("train")[:3]]
    with pytest.raises(ValueError, match=r"shortest \(9\) must be at most words \(8\)"):
        task(shortest=9, words=8)
    assert len(task(shortest=9).examples("train")) < len(task().examples("train"))

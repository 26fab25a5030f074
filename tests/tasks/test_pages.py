from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reml.collection.sources.kilt_pages import write_pages
from reml.contract.collections import KnowledgeSource
from reml.contract.examples import Answer, Page
from reml.contract.tasks import Task
from reml.evaluation.metrics import Perplexity, metric_of
from reml.experiment.settings.settings_of import settings_of
from reml.tasks.factbook.pages import FactbookPages
from reml.tasks.pages import KeptPages, Pages
from reml.testing import KnowledgeSourceContract, TaskContract

SPLITS = ("train", "dev", "test")


class Given:
    """Pages that stand in memory."""

    def __init__(self, pages: list[Page]) -> None:
        self._pages, self.fingerprint = pages, "given"

    def pages(self) -> Iterator[Page]:
        return iter(self._pages)


def many(count: int = 60) -> Given:
    body = ("Section::::Head.\n", "one two three\n", "four five six seven\n")
    return Given([Page(str(number), f"Page {number}", (f"Page {number}\n", *body)) for number in range(count)])


def kept(task: Pages) -> list[Page]:
    return list(task.source().pages())


class TestPages(TaskContract):
    splits = SPLITS

    def make(self) -> Task:
        return Pages("pages", many())


class TestKeptPages(KnowledgeSourceContract):
    def make(self) -> KnowledgeSource:
        return Pages("pages", many()).source()

    def other(self) -> KnowledgeSource:
        return Pages("pages", many(), words=5).source()


def test_each_page_is_in_one_split_or_in_the_source() -> None:
    task = Pages("pages", many(400), held_out=20)
    parts = [{page.id for page in kept(task)}, *({one.id for one in task.examples(split)} for split in SPLITS)]
    assert sorted(map(int, set.union(*parts))) == list(range(400))
    assert sum(map(len, parts)) == 400
    assert all(40 < len(part) < 120 for part in parts[1:])


def test_a_page_stays_where_it_is_when_others_come(tmp_path: Path) -> None:
    few, all_of_them = Pages("pages", many(50)), Pages("pages", many(90))
    for split in SPLITS:
        held = [one.id for one in all_of_them.examples(split) if int(one.id) < 50]
        assert [one.id for one in few.examples(split)] == held


def test_an_example_is_the_title_and_text_of_a_page_and_so_is_its_answer() -> None:
    example = Pages("pages", many()).examples("dev")[0]
    assert example.input == f"Page {example.id}\none two three\nfour five six seven"
    assert example.output == (Answer(example.input),)
    assert example.unanswered.input == example.input


def test_words_cut_examples_and_source_alike() -> None:
    task = Pages("pages", many(), words=5)
    assert task.examples("dev")[0].input.endswith("one two three\nfour five")
    assert {page.paragraphs[1:] for page in kept(task)} == {("Section::::Head.\n", "one two three\n", "four five")}


def test_pages_chooses_some_of_all_and_limit_the_first_of_a_split() -> None:
    every, some = Pages("pages", many(200)), Pages("pages", many(200), pages=50)
    assert len(kept(some)) + sum(len(some.examples(split)) for split in SPLITS) == 50
    assert set(kept(some)) < set(kept(every))
    assert some.source().fingerprint != every.source().fingerprint
    assert list(Pages("pages", many(200), limit=2).examples("dev")) == list(every.examples("dev"))[:2]


def test_pages_that_are_all_held_out_are_refused() -> None:
    held = [
        page for page in many(200).pages() if page.id in {one.id for one in Pages("pages", many(200)).examples("dev")}
    ]
    task = Pages("pages", Given(held))
    assert len(task.examples("dev")) == len(held)
    with pytest.raises(ValueError, match=r"10 of a hundred go to each of train, dev, test\. Lower `held_out`"):
        kept(task)


def test_a_page_without_text_is_no_example() -> None:
    blank = [Page(str(number), "T", ("T", " \n")) for number in range(60)]
    for words in (None, 5):
        task = Pages("pages", Given(blank), words=words)
        assert [list(task.examples(split)) for split in SPLITS] == [[], [], []]
        assert kept(task)


def test_it_reads_pages_in_kilts_form_and_those_of_the_factbook(tmp_path: Path) -> None:
    write_pages(many().pages(), tmp_path / "pages.jsonl")
    task, given = Pages("pages", str(tmp_path / "pages.jsonl")), Pages("pages", many())
    assert task.examples("dev") == given.examples("dev")
    assert "knowledge_source" in str(settings_of(task))
    factbook = Pages("factbook", FactbookPages(), words=40)
    assert metric_of(factbook) == Perplexity()
    assert len(factbook.examples("dev")) > 10


def test_settings_that_mean_nothing_are_refused() -> None:
    for wrong in ({"held_out": 0}, {"held_out": 34}, {"words": 0}, {"limit": 0}):
        with pytest.raises(ValueError, match="must be"):
            Pages("pages", many(), **wrong)
    with pytest.raises(FileNotFoundError, match="knowledge source"):
        Pages("pages", "nowhere.jsonl")
    assert isinstance(Pages("pages", many()).source(), KeptPages)

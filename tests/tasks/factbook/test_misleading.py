from __future__ import annotations

import pytest

from reml.tasks.factbook.misleading import MisleadingQuestions, misleading_paragraphs
from reml.tasks.factbook.pages import factbook_pages
from reml.tasks.factbook.questions import questions


def test_the_counts_that_are_promised() -> None:
    task = MisleadingQuestions()
    assert [len(task.examples(split)) for split in ("train", "dev", "test")] == [1236, 412, 400]


def test_the_answer_stands_in_other_paragraphs_of_the_page() -> None:
    for example in MisleadingQuestions(3).examples("dev")[:50]:
        evidence = example.output[0].provenance[0]
        found = misleading_paragraphs(example)
        assert len(found) >= 3
        assert evidence.start_paragraph_id not in found
        paragraphs = factbook_pages()[evidence.wikipedia_id].page.paragraphs
        assert all(any(answer in paragraphs[number] for answer in example.answers) for number in found)


def test_only_whole_words_mislead() -> None:
    made = (draft.make() for draft in questions("dev"))
    sites = next(one for one in made if one.meta is not None and "Sites" in str(one.meta["relation"]))
    pages = factbook_pages()[sites.output[0].provenance[0].wikipedia_id].page.paragraphs
    within = [number for number, text in enumerate(pages) if any(answer in text for answer in sites.answers)]
    assert set(misleading_paragraphs(sites)) < set(within)


def test_asking_for_no_places_is_refused() -> None:
    with pytest.raises(ValueError, match="places is 0: give at least 1"):
        MisleadingQuestions(0)


def test_another_split_is_refused() -> None:
    with pytest.raises(ValueError, match="no split 'all'"):
        MisleadingQuestions().examples("all")

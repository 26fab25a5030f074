from __future__ import annotations

import pytest

from reml.contract.examples import OWN_PAGE
from reml.contract.tasks import Task
from reml.tasks.factbook.splits import split_of
from reml.tasks.page_texts import PageTexts
from reml.testing import TaskContract


class TestContract(TaskContract):
    splits = ("train", "dev", "test")

    def make(self) -> Task:
        return PageTexts(texts=2, regions=["south-america"])


def test_texts_are_stretches_of_the_pages_of_their_split() -> None:
    task = PageTexts(40, texts=3, regions=["south-america"])
    pages = {page.id: "\n".join(page.paragraphs[1:]) for page in task.source().pages()}
    texts = task.examples("train")
    assert len({one.meta[OWN_PAGE] for one in texts}) * 3 == len(texts)
    for one in texts:
        page = str(one.meta[OWN_PAGE])
        assert split_of(page) == "train"
        assert one.input in pages[page]
        assert one.answers == (one.input,)
        assert len(one.input.split(" ")) == 40


def test_all_texts_of_a_page_follow_each_other() -> None:
    texts = PageTexts(40, regions=["south-america"]).examples("dev")
    first = [one.input for one in texts if one.meta[OWN_PAGE] == texts[0].meta[OWN_PAGE]]
    pages = {page.id: "\n".join(page.paragraphs[1:]) for page in PageTexts().source().pages()}
    assert pages[str(texts[0].meta[OWN_PAGE])].startswith(" ".join(first))


@pytest.mark.parametrize("wrong", [{"words": 0}, {"texts": 0}])
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"must be 1 or more"):
        PageTexts(**wrong)  # type: ignore[arg-type]

from __future__ import annotations

from pathlib import Path

import pytest

from reml.contract.examples import Answer
from reml.contract.tasks import Task
from reml.tasks.follow_ups import FollowUps
from reml.tasks.jsonl import Jsonl
from reml.testing import TaskContract
from tests.small_experiment import write_experiment


def places(folder: Path) -> Jsonl:
    write_experiment(folder)
    files = {split: str(folder / f"{split}.jsonl") for split in ("train", "dev")}
    return Jsonl("places", files, knowledge_source=str(folder / "pages.jsonl"))


class TestFollowUps(TaskContract):
    splits = ("dev",)

    @pytest.fixture(autouse=True)
    def _write(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def make(self) -> Task:
        return FollowUps(places(self.folder))


def test_each_question_is_followed_up_after_some_more(tmp_path: Path) -> None:
    examples = FollowUps(places(tmp_path), questions=3, later=2, again="And {number}?").examples("train")
    assert [example.id for example in examples] == [
        *("q-chad", "q-peru", "q-chad_again", "q-peru_again"),
        *("q-fiji", "q-fiji_again"),
    ]
    assert examples[1].input == "Question 102: What is seen in Peru?"
    assert (examples[3].input, examples[3].output) == ("And 102?", (Answer("Stone terraces"),))
    assert examples[1].output[0].provenance, "questions are as they were"


@pytest.mark.parametrize(("questions", "later"), [(0, 1), (1, 0)])
def test_numbers_below_one_are_refused(tmp_path: Path, questions: int, later: int) -> None:
    with pytest.raises(ValueError, match="must be 1 or more"):
        FollowUps(places(tmp_path), questions=questions, later=later)


def test_templates_without_a_number_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must hold \{number\}"):
        FollowUps(places(tmp_path), again="And then?")

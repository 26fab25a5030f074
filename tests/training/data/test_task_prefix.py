from __future__ import annotations

from reml.contract.examples import Answer, Example
from reml.training.data.task_prefix import with_task, without_task

QUESTIONS = (Example("1", "Where is Chad?", (Answer("Africa"),)), Example("2", "qa: what is that?"))


def test_the_name_of_the_task_stands_in_front_and_is_taken_away_once() -> None:
    shown = with_task("qa", QUESTIONS)
    assert [example.input for example in shown] == ["qa: Where is Chad?", "qa: qa: what is that?"]
    assert [example.output for example in shown] == [example.output for example in QUESTIONS]
    assert without_task("qa", shown) == QUESTIONS

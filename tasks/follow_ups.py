"""Questions of another task, and later what was answered to each: only who kept a note can say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from reml.contract.arguments.checked import checked
from reml.contract.collections import KnowledgeSource
from reml.contract.examples import Answer, Example
from reml.contract.recorded import recorded
from reml.contract.tasks import Metric, Task
from reml.evaluation.metrics import metric_of


@recorded
@checked()
class FollowUps:
    """The first examples of each split of a task, numbered, each followed up once `later` more are asked.

    task: whose questions and source they are. questions: how many of a split. later: examples are asked by so many,
    then these are followed up. asked: of a numbered question, holds `{number}` and `{question}`. again: of a follow-up,
    holds `{number}`. A follow-up has the right answers of its question, and no provenance: no page says what was asked.
    """

    def __init__(
        self,
        task: Task,
        *,
        questions: int = 48,
        later: int = 8,
        asked: str = "Question {number}: {question}",
        again: str = "What was the answer to question {number}?",
    ) -> None:
        if questions < 1 or later < 1:
            raise ValueError(f"questions and later must be 1 or more, not {questions} and {later}.")
        if "{number}" not in asked or "{number}" not in again:
            raise ValueError(f"asked and again must hold {{number}}; they are {asked!r} and {again!r}.")
        self._task, self._questions, self._later = task, questions, later
        self._asked, self._again = asked, again

    @property
    def name(self) -> str:
        """That of the task, with `_follow_ups`."""
        return f"{self._task.name}_follow_ups"

    @property
    def metric(self) -> Metric:
        """That of the task."""
        return metric_of(self._task)

    def source(self) -> KnowledgeSource:
        """Give that of the task."""
        return self._task.source()

    def examples(self, split: str) -> Sequence[Example]:
        """Give the questions and follow-ups of a split, in the order in which they are to be asked."""
        return list(self._in_turns(list(islice(self._task.examples(split), self._questions))))

    def _in_turns(self, examples: Sequence[Example]) -> Iterator[Example]:
        for start in range(0, len(examples), self._later):
            numbered = list(enumerate(examples[start : start + self._later], start=101 + start))
            for number, example in numbered:
                yield replace(example, input=self._asked.format(number=number, question=example.input))
            for number, example in numbered:
                right = tuple(Answer(text) for text in example.answers)
                yield Example(f"{example.id}_again", self._again.format(number=number), right)

"""The contract tests of a task and of a knowledge source."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import pytest

from reml.contract.collections import KnowledgeSource
from reml.contract.tasks import Task
from reml.evaluation.metrics import metric_of
from reml.testing.contract import Contract


class TaskContract(Contract, ABC):
    """What every task must do."""

    splits: Sequence[str] = ("train", "dev")

    @abstractmethod
    def make(self) -> Task:
        """Make the task."""

    def test_examples_are_sound(self) -> None:
        """Ids are unique over the splits, and every page that an answer comes from is in the knowledge source."""
        task = self.make()
        pages = {page.id for page in task.source().pages()}
        examples = [example for split in self.splits for example in task.examples(split)]
        assert examples
        assert len({example.id for example in examples}) == len(examples)
        named = {place.wikipedia_id for example in examples for answer in example.output for place in answer.provenance}
        assert named <= pages

    def test_says_what_it_is_measured_by(self) -> None:
        """It has a `measure` or a `metric`, the same every time."""
        assert metric_of(self.make()).headline == metric_of(self.make()).headline

    def test_is_the_same_every_time(self) -> None:
        """Two instances give the same examples and the same pages."""
        one, two = self.make(), self.make()
        assert one.name == two.name
        assert one.source().fingerprint == two.source().fingerprint
        assert all(list(one.examples(split)) == list(two.examples(split)) for split in self.splits)

    def test_refuses_a_split_it_does_not_have(self) -> None:
        """The error names the split."""
        with pytest.raises(ValueError, match="no-such-split"):
            self.make().examples("no-such-split")


class KnowledgeSourceContract(Contract, ABC):
    """What every knowledge source must do."""

    @abstractmethod
    def make(self) -> KnowledgeSource:
        """Make the source, of at least two pages."""

    @abstractmethod
    def other(self) -> KnowledgeSource:
        """Make a source of the same kind with other pages."""

    def test_pages_are_sound(self) -> None:
        """Each has an id of its own and its title as the first paragraph, and they come in the same order."""
        source = self.make()
        pages = list(source.pages())
        assert len({page.id for page in pages}) == len(pages) > 1
        assert all(page.id and page.paragraphs[0].strip() == page.title.strip() for page in pages)
        assert list(source.pages()) == list(self.make().pages()) == pages

    def test_pages_are_streamed(self) -> None:
        """The first page can be had alone, and two readers do not disturb each other."""
        source = self.make()
        one, two = iter(source.pages()), iter(source.pages())
        assert next(one) == next(two)
        assert next(one) == next(two)

    def test_its_fingerprint_changes_with_its_pages_alone(self) -> None:
        """What was made of other pages is not taken for what was made of these."""
        assert self.make().fingerprint == self.make().fingerprint
        assert self.make().fingerprint != self.other().fingerprint

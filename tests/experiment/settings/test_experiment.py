from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from reml.access.presenting.processors import First
from reml.access.querying.query_generators import MentionQuery
from reml.contract.examples import Example, Measure, Page
from reml.experiment.settings.access import Access
from reml.experiment.settings.experiment import Experiment, Reading
from reml.experiment.settings.train_on import Phase, TrainOn
from reml.retrievers.bm25.retriever import BM25


class Empty:
    """A task and knowledge source without pages or examples."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.measure: Measure = "em"
        self.fingerprint = name

    def pages(self) -> Iterator[Page]:
        return iter(())

    def source(self) -> Empty:
        return self

    def examples(self, split: str) -> Sequence[Example]:
        return ()


ONE = [Empty("one")]


def test_an_experiment_of_sound_parts_is_made() -> None:
    access = {"a": Access(BM25(), query_generator=MentionQuery()), "b": Access(fuse=["a"], processors=[First(1)])}
    experiment = Experiment(ONE, {**access, "none": Access()}, train_on=TrainOn("b"))
    assert (experiment.name, experiment.seed, experiment.reading) == ("run", 0, Reading())


@pytest.mark.parametrize("tasks", [[], [Empty("one"), Empty("two"), Empty("one")]])
def test_tasks_have_distinct_names(tasks: list[Empty]) -> None:
    with pytest.raises(ValueError, match="tasks with distinct names"):
        Experiment(tasks, {"none": Access()})


def test_access_models_that_are_not_there_are_named() -> None:
    with pytest.raises(ValueError, match="at least one access model"):
        Experiment(ONE, {})
    with pytest.raises(ValueError, match="no access model 'b'; the experiment has a"):
        Experiment(ONE, {"a": Access(fuse=["b"])})
    with pytest.raises(ValueError, match="no access model 'b'; the experiment has a"):
        Experiment(ONE, {"a": Access()}, train_on=TrainOn("b"))


def test_what_is_learnt_is_checked() -> None:
    with pytest.raises(ValueError, match=r"names \['three'\]; the experiment has the tasks one"):
        Experiment(ONE, {"a": Access()}, train_on=TrainOn("a", phases=[Phase(tasks=["one"]), Phase(tasks=["three"])]))
    with pytest.raises(ValueError, match="no access model 'b'; the experiment has a"):
        Experiment(ONE, {"a": Access()}, train_on=TrainOn("a", phases=[Phase(access="b")]))
    with pytest.raises(ValueError, match=r"train_on\.phases\.steps is 0, but must be 1 or more"):
        Phase(steps=0)
    with pytest.raises(ValueError, match=r"names \['two'\]; the experiment has the tasks one"):
        Experiment(ONE, {"a": Access()}, train_on=TrainOn("a", tasks=["two", "one"]))
    with pytest.raises(ValueError, match=r"train_on\.temperature is 0\.5, but must be 1 or more, or left out"):
        TrainOn("a", temperature=0.5)


@pytest.mark.parametrize(
    "access",
    [{"a": Access(fuse=["a"])}, {"c": Access(), "b": Access(fuse=["c"]), "a": Access(fuse=["b"])}],
    ids=["itself", "a fusion"],
)
def test_a_fusion_fuses_no_fusion(access: dict[str, Access]) -> None:
    with pytest.raises(ValueError, match="access model 'a' fuses one that fuses others"):
        Experiment(ONE, access)


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden"])
def test_names_are_names_of_folders(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name an access model"):
        Experiment(ONE, {name: Access()})
    with pytest.raises(ValueError, match="cannot name an experiment"):
        Experiment(ONE, {"a": Access()}, name=name)


def test_an_access_model_is_of_one_kind() -> None:
    with pytest.raises(ValueError, match="not both"):
        Access(BM25(), fuse=["a"])
    with pytest.raises(ValueError, match="asks no queries of its own"):
        Access(fuse=["a"], query_generator=MentionQuery())


@pytest.mark.parametrize("setting", ["words", "depth", "k", "pages", "batch_size"])
def test_amounts_are_positive(setting: str) -> None:
    with pytest.raises(ValueError, match=rf"reading\.{setting} is 0, but must be 1 or more"):
        Reading(**{setting: 0})  # type: ignore[arg-type]


def test_what_is_read_must_be_retrieved() -> None:
    with pytest.raises(ValueError, match=r"reading\.depth \(4\) must be at least reading\.k \(5\)"):
        Reading(depth=4, k=5)

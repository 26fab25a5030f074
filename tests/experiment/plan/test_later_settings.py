from __future__ import annotations

import pytest

from reml.cli.loading import load
from reml.contract.examples import Json
from reml.experiment.plan.later_settings import without_unset
from tests.small_experiment import write_experiment

DENSE: Json = {"class_path": "reml.retrievers.dense.Dense"}
OBJECTIVE: Json = {"class_path": "reml.feedback.pdist.Pdist"}
# The settings there were when people first trained: what is added has to be named in `LATER`.
TRAINING = (
    "accumulate batch_size check_every clip epochs patience precision rate rates save_every seed steps warmup "
    "weight_decay"
)
KNOWN = {
    (): "access name predictor predictor_seed reading seed tasks train_on training",
    ("training",): TRAINING,
    ("reading",): "batch_size depth k limit pages split words",
    ("train_on",): "access dev_limit k limit prefix relevant tasks temperature",
    ("access", "dense"): "expansion feedback fuse processors query_generator retriever train",
    ("access", "dense", "train"): (
        "compared held_out listed negatives objective pseudo_queries random regularisers tasks teacher training"
    ),
    ("access", "dense", "train", "training"): TRAINING,
    ("access", "taught", "feedback"): (
        "candidates items judge learner learns limit objective regime tasks training untrained weight"
    ),
    ("access", "taught", "feedback", "training"): TRAINING,
}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Json:
    folder = tmp_path_factory.mktemp("experiment")
    access: dict[str, object] = {
        "bm25": {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}},
        "dense": {"retriever": DENSE, "train": {"teacher": "bm25"}},
        "taught": {"feedback": {"learner": "dense", "objective": OBJECTIVE}},
    }
    path = write_experiment(folder, access=access, train_on={"access": "bm25"})
    return dict(load("run", ["--config", str(path), "--home", str(folder)])[0].config)


@pytest.mark.parametrize("place", KNOWN)
def test_a_new_setting_leaves_the_keys_of_older_stages_as_they_were(place: tuple[str, ...], config: Json) -> None:
    part = config
    for name in place:
        assert isinstance(part, dict)
        part = part[name]
    assert isinstance(part, dict)
    assert sorted(part) == KNOWN[place].split()


def test_a_later_setting_that_says_something_stays() -> None:
    training: Json = {"steps": 9, "chunk": None, "devices": 2}
    assert without_unset({"training": training}) == {"training": {"steps": 9, "devices": 2}}
    assert without_unset(training, "training") == {"steps": 9, "devices": 2}
    assert without_unset([{"feedback": {"refresh": None, "items": 8}}]) == [{"feedback": {"items": 8}}]


def test_a_setting_of_the_same_name_elsewhere_stays() -> None:
    assert without_unset({"init_args": {"chunk": None}}) == {"init_args": {"chunk": None}}

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from reml.study.plan import Condition, Study, read_study, with_seed

PDIST = {"objective": {"class_path": "reml.feedback.pdist.Pdist"}, "items": 4}
GOLD = {"objective": {"class_path": "reml.feedback.contrastive.Contrastive"}}
WRITTEN: dict[str, Any] = {"learners": ["dense"], "objectives": {"pdist": PDIST}, "references": {"gold": GOLD}}
EXPERIMENT: dict[str, Any] = {"tasks": [], "access": {"dense": {}, "bm25": {}}, "seed": 9}


def test_conditions_are_the_controls_the_objectives_and_the_references() -> None:
    names = [condition.access for condition in Study.of(WRITTEN).conditions()]
    assert names == ["dense", "dense_pdist", "dense_pdist_untrained", "dense_pdist_shuffled", "dense_gold"]


def test_each_condition_is_an_access_model_of_an_experiment_with_the_seed() -> None:
    made = with_seed(Study.of(WRITTEN), EXPERIMENT, 4)
    access: Any = made["access"]
    assert made["seed"] == 4
    assert list(access)[:2] == ["dense", "bm25"]
    assert access["dense_pdist"] == {"feedback": {**PDIST, "learner": "dense"}}
    assert access["dense_pdist_untrained"] == {"feedback": {**PDIST, "learner": "dense", "untrained": True}}
    mixed = {"class_path": "reml.feedback.shuffled.Shuffled", "init_args": {"objective": PDIST["objective"]}}
    assert access["dense_pdist_shuffled"] == {"feedback": {**PDIST, "learner": "dense", "objective": mixed}}
    assert access["dense_gold"] == {"feedback": {**GOLD, "learner": "dense"}}


def test_a_title_says_objective_and_control() -> None:
    titles = [one.title for one in (Condition("a"), Condition("a", "pdist"), Condition("a", "pdist", "shuffled"))]
    assert titles == ["frozen", "pdist", "pdist, shuffled"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learners": []}, "study.learners is empty"),
        ({"seeds": []}, "study.seeds is empty"),
        ({"seeds": [1, 1]}, "must be distinct"),
        ({"controls": ["random"]}, r"names \['random'\]; there are untrained, shuffled"),
        ({"references": {"pdist": GOLD}}, "cannot name an objective or reference twice"),
        ({"objectives": {"frozen": PDIST}}, "'frozen' is taken"),
        ({"objective": {}}, "it has .*'objective'"),
    ],
)
def test_a_study_that_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Study.of({**WRITTEN, **changes})


def test_a_file_without_a_study_or_its_learners_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    for written, message in (
        ([], "holds a list: an experiment"),
        (EXPERIMENT, "has a part `study` with learners and objectives"),
        ({**EXPERIMENT, "study": {**WRITTEN, "learners": ["sparse"]}}, "the access models bm25, dense"),
    ):
        path.write_text(yaml.safe_dump(written), encoding="utf-8")
        with pytest.raises(ValueError, match=message):
            read_study(path)


def test_names_of_conditions_are_the_study_s() -> None:
    taken = {**EXPERIMENT, "access": {"dense": {}, "dense_gold": {}}}
    with pytest.raises(ValueError, match="'dense_gold' is the study's to make"):
        with_seed(Study.of(WRITTEN), taken, 0)

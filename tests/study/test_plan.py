from __future__ import annotations

from typing import Any

import pytest

from reml.study.plan import Study, with_conditions

PDIST = {"objective": {"class_path": "reml.feedback.pdist.Pdist"}, "items": 4}
GOLD = {"objective": {"class_path": "reml.feedback.contrastive.Contrastive"}}
WRITTEN: dict[str, Any] = {"learners": ["dense"], "objectives": {"pdist": PDIST}, "references": {"gold": GOLD}}
EXPERIMENT: dict[str, Any] = {"tasks": [], "access": {"dense": {}, "bm25": {}}, "study": WRITTEN}


def test_conditions_are_the_controls_the_objectives_and_the_references() -> None:
    names = [condition.access for condition in Study(**WRITTEN).conditions()]
    assert names == ["dense", "dense_pdist", "dense_pdist_untrained", "dense_pdist_shuffled", "dense_gold"]


def test_each_condition_is_an_access_model_of_the_experiment() -> None:
    access: Any = with_conditions(EXPERIMENT)["access"]
    assert list(access)[:2] == ["dense", "bm25"]
    assert access["dense_pdist"] == {"feedback": {**PDIST, "learner": "dense"}}
    assert access["dense_pdist_untrained"] == {"feedback": {**PDIST, "learner": "dense", "untrained": True}}
    mixed = {"class_path": "reml.feedback.shuffled.Shuffled", "init_args": {"objective": PDIST["objective"]}}
    assert access["dense_pdist_shuffled"] == {"feedback": {**PDIST, "learner": "dense", "objective": mixed}}
    assert access["dense_gold"] == {"feedback": {**GOLD, "learner": "dense"}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learners": []}, "study.learners is empty"),
        ({"seeds": []}, "study.seeds is empty"),
        ({"seeds": [1, 1]}, "must be distinct"),
        ({"controls": ["random"]}, r"study\.controls\[0\] is 'random', but must be one of 'untrained', 'shuffled'"),
        ({"references": {"pdist": GOLD}}, "cannot name an objective or reference twice"),
        ({"objectives": {"frozen": PDIST}}, "'frozen' is taken"),
    ],
)
def test_a_study_that_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Study(**{**WRITTEN, **changes})


def test_a_learner_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="the access models dense, bm25"):
        with_conditions({**EXPERIMENT, "study": {**WRITTEN, "learners": ["sparse"]}})


def test_names_of_conditions_are_the_study_s() -> None:
    taken = {**EXPERIMENT, "access": {"dense": {}, "dense_gold": {}}}
    with pytest.raises(ValueError, match="'dense_gold' is the study's to make"):
        with_conditions(taken)

from __future__ import annotations

import numpy as np
import pytest
import torch

from reml.contract.predictors import Judge
from reml.feedback.judges import DownstreamUtility, GoldEvidence, TeacherScores
from reml.feedback.judges.judging import Judging
from reml.feedback.judges.teacher import Teacher
from tests.training.pointing import WordRetriever, collection, predictor, retrieved

ITEMS = collection()
TEACHERS: dict[str, Judge] = {"words": Teacher(WordRetriever(ITEMS)), "other": GoldEvidence()}


@pytest.mark.parametrize("judging", [GoldEvidence(), DownstreamUtility(), TeacherScores("words")])
def test_settings_make_judges(judging: Judging) -> None:
    batch = retrieved(0, 4, ITEMS).take(np.arange(4))
    utility = judging.open(predictor(), TEACHERS)(batch.examples, batch.read)
    assert utility.shape == batch.read.mask.shape
    assert torch.isfinite(utility).all()
    assert isinstance(judging, Judging)


def test_only_a_teacher_is_an_access_model() -> None:
    assert [list(one.access) for one in (GoldEvidence(), DownstreamUtility(), TeacherScores("bm25"))] == [
        [],
        [],
        ["bm25"],
    ]


def test_a_teacher_judges_by_its_name() -> None:
    assert TeacherScores("words").open(predictor(), TEACHERS) is TEACHERS["words"]


def test_the_predictor_judges_by_the_answer_it_gives() -> None:
    """The true item holds the answer, second of each list; the lie holds another colour; the third place is empty."""
    batch = retrieved(0, 4, ITEMS).take(np.arange(4))
    judge = DownstreamUtility().open(predictor(), {})
    assert judge(batch.examples, batch.read).tolist() == [[0.0, 1.0, 0.0]] * 4

from __future__ import annotations

import numpy as np
import pytest
import torch

from reml.feedback.judges.judging import ByAnswer, ByEvidence, ByTeacher, Judging, Known
from reml.feedback.judges.teacher import Teacher
from tests.training.pointing import WordRetriever, collection, predictor, retrieved

ITEMS = collection()
KNOWN = Known(predictor(), lambda name: Teacher({"words": WordRetriever(ITEMS)}[name]))


@pytest.mark.parametrize("judging", [ByEvidence(), ByAnswer(), ByTeacher("words")])
def test_settings_make_judges(judging: Judging) -> None:
    batch = retrieved(0, 4, ITEMS).take(np.arange(4))
    utility = judging.judge(KNOWN)(batch.examples, batch.read)
    assert utility.shape == batch.read.mask.shape
    assert torch.isfinite(utility).all()
    assert isinstance(judging, Judging)


def test_only_a_teacher_is_an_access_model() -> None:
    assert [list(one.access) for one in (ByEvidence(), ByAnswer(), ByTeacher("bm25"))] == [[], [], ["bm25"]]


def test_the_predictor_judges_by_the_answer_it_gives() -> None:
    """The true item holds the answer, second of each list; the lie holds another colour; the third place is empty."""
    batch = retrieved(0, 4, ITEMS).take(np.arange(4))
    assert ByAnswer().judge(KNOWN)(batch.examples, batch.read).tolist() == [[0.0, 1.0, 0.0]] * 4

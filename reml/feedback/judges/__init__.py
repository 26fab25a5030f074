"""Judges: who says how useful items are where the predictor's loss does not."""

from reml.feedback.judges.judging import ByAnswer, ByEvidence, ByTeacher

__all__ = ["ByAnswer", "ByEvidence", "ByTeacher"]

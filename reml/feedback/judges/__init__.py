"""Judges: who says how useful items are where the predictor's loss does not.

answer_utility      How useful an answer is: one of KILT's measures of it, up to the KILT score
downstream_utility  A judge that asks a predictor what it makes of each item alone
gold_evidence       A judge that knows the right answers' evidence: the gold labels that feedback is compared
judges              Who says how useful items and outputs are
judging             What a configuration names where an objective needs the utility of items: a judge, before
recorded_utility    Learning later from what was judged once: a judge's utilities as feedback records
teacher             A judge that scores items as another retriever or re-ranker does: what distillation imitates
"""

from reml.feedback.judges.downstream_utility import DownstreamUtility
from reml.feedback.judges.gold_evidence import GoldEvidence
from reml.feedback.judges.teacher import TeacherScores

__all__ = ["DownstreamUtility", "GoldEvidence", "TeacherScores"]

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from reml.access.responses import gather
from reml.contract.examples import Answer, Example, Provenance
from reml.contract.predictors import Judge
from reml.contract.retrieved import Hits, Queries, Responses
from reml.contract.signals import Signal
from reml.feedback.judges.answer_utility import AnswerUtility
from reml.feedback.judges.downstream_utility import DownstreamUtility
from reml.feedback.judges.gold_evidence import GoldEvidence
from reml.feedback.judges.judges import Judges
from reml.feedback.judges.recorded_utility import RecordedUtility, record_of
from reml.feedback.judges.teacher import Teacher
from reml.feedback.records import FeedbackLog
from reml.retrievers.bm25.retriever import BM25
from reml.testing import TEXTS, JudgeContract, MemoryCollection
from tests.first_words import FirstWords
from tests.training.pointing import predictor, retrieved

COLLECTION = MemoryCollection(TEXTS)
ROWS = np.array([[4, 0, 1], [3, 2, -1]], dtype=np.int64)
EXAMPLES = [
    Example("1", "What do penguins breed on?", (Answer("ice", (Provenance("4", None, 1, 0, 1, 9),)),)),
    Example("2", "What is exported?", (Answer("zinc", (Provenance("2"),)), Answer("copper", (Provenance("9"),)))),
]


def responses() -> Responses:
    return gather(COLLECTION, Hits(ROWS, np.where(ROWS >= 0, 1.0, -np.inf).astype(np.float32)))


def hidden(given: Responses) -> Responses:
    """Mask the first item of each example."""
    mask = given.mask.clone()
    mask[:, 0] = False
    return Responses(given.items, given.rows, given.scores, mask)


def test_gold_evidence_is_one_where_a_place_of_a_right_answer_is_held() -> None:
    judge: Judge = GoldEvidence()
    assert judge(EXAMPLES, responses()).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert judge(EXAMPLES, hidden(responses())).tolist() == [[0, 0, 0], [0, 1, 0]]


def test_gold_evidence_of_an_example_without_provenance_is_nothing() -> None:
    assert GoldEvidence()([Example("1", "?", (Answer("ice"),))] * 2, responses()).sum() == 0


def test_a_teacher_gives_its_scores(tmp_path: Path) -> None:
    retriever = BM25().index(COLLECTION, tmp_path / "bm25")
    judge: Judge = Teacher(retriever)
    expected = retriever.score(Queries.of([example.input for example in EXAMPLES]), ROWS)
    assert torch.equal(judge(EXAMPLES, responses()), expected.masked_fill(torch.from_numpy(ROWS < 0), 0.0))
    assert judge(EXAMPLES, hidden(responses()))[:, 0].tolist() == [0.0, 0.0]


def test_downstream_utility_is_the_measure_of_the_answer_from_each_item_alone() -> None:
    """The predictor answers with the last word of its best item: the truth is retrieved second, padding third."""
    batch = retrieved(0, 5).take(np.arange(5))
    for size in (1, 3, 16):
        judge: Judge = DownstreamUtility(AnswerUtility("em"), size).open(predictor(), {})
        assert judge(batch.examples, batch.read).tolist() == [[0, 1, 0]] * 5
    kilt = DownstreamUtility(AnswerUtility("KILT-em")).open(predictor(), {})
    assert kilt(batch.examples, batch.read).sum() == 0, "without gold pages no R-precision is 1"


def test_downstream_utility_gives_the_predictor_its_mode_back() -> None:
    model = predictor().train()
    model.dropout.eval()
    batch = retrieved(0, 2).take(np.arange(2))
    DownstreamUtility().open(model, {})(batch.examples, batch.read)
    assert (model.training, model.output.training, model.dropout.training) == (True, True, False)
    with pytest.raises(ValueError, match="batch_size is a number of items"):
        DownstreamUtility(batch_size=0)


def test_what_was_judged_once_is_learnt_from_later(tmp_path: Path) -> None:
    queries, said = Queries.of([example.input for example in EXAMPLES]), torch.tensor([[-1.0, -4, -2], [-3, -0.5, 9]])
    log = FeedbackLog(tmp_path)
    log.receive(record_of(queries, responses(), 0 * said, judge="former", versions={}))
    log.receive(record_of(queries, responses(), said, judge="fid", versions={"predictor": "abc"}))
    judge: Judge = RecordedUtility(log)
    assert judge(EXAMPLES, responses()).tolist() == [[-1, -4, -2], [-3, -0.5, 0]]
    turned = ROWS[:, [1, 0]]
    asked = gather(COLLECTION, Hits(turned, np.zeros((2, 2), np.float32)))
    assert judge(EXAMPLES, asked).tolist() == [[-4, -1], [-0.5, -3]]


def test_an_item_that_nobody_judged_is_an_error_unless_it_is_said_what_it_is_worth() -> None:
    queries = Queries.of([example.input for example in EXAMPLES])
    record = record_of(queries, hidden(responses()), torch.ones(2, 3), judge="fid", versions={})
    assert record.rows.tolist() == [[-1, 0, 1], [-1, 2, -1]]
    with pytest.raises(KeyError, match="no record judges item 4 for the query 'What do penguins breed on"):
        RecordedUtility([record])(EXAMPLES, responses())
    assert RecordedUtility([record], unjudged=-7.0)(EXAMPLES, responses()).tolist() == [[-7, 1, 1], [-7, 1, 0]]


def test_judges_say_what_they_give() -> None:
    assert Judges().gives == Signal.NONE
    assert Judges(items=GoldEvidence()).gives == Signal.ITEM_UTILITY
    with pytest.raises(ValueError, match="nobody judges items"):
        Judges().utility(EXAMPLES, responses())


class Wrong:
    def __call__(self, examples: Sequence[Example], responses: Responses) -> Tensor:
        return torch.zeros(len(examples))


def test_a_judge_that_gives_another_shape_is_named() -> None:
    with pytest.raises(ValueError, match=r"Wrong.*shape \(2,\) for items of shape \(2, 3\)"):
        Judges(items=Wrong()).utility(EXAMPLES, responses())


class TestGoldEvidence(JudgeContract):
    def make(self) -> Judge:
        return GoldEvidence()


class TestTeacher(JudgeContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.retriever = BM25().index(COLLECTION, tmp_path / "bm25")

    def make(self) -> Judge:
        return Teacher(self.retriever)


class TestDownstreamUtility(JudgeContract):
    def make(self) -> Judge:
        return DownstreamUtility(AnswerUtility("f1")).open(FirstWords(words=2.0), {})

    def examples(self) -> list[Example]:
        return [Example("1", "Who breeds?", (Answer("penguins"),)), Example("2", "What?", (Answer("copper and"),))]


class TestRecordedUtility(JudgeContract):
    def make(self) -> Judge:
        queries = Queries.of([example.input for example in self.examples()])
        said = torch.tensor([[-1.0, -4, -2], [-3, -0.5, 9]])
        return RecordedUtility([record_of(queries, responses(), said, judge="fid", versions={})])

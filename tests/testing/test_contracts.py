"""A contract holds nothing if a part that does not do its work passes it: each of these must fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from reml.access.responses import empty, gather
from reml.contract.access import FeedbackHandler, QueryExpansion, QueryGenerator, ResponseProcessor
from reml.contract.collections import Collection, KnowledgeSource
from reml.contract.examples import Answer, Example, Media, Page, Provenance
from reml.contract.predictors import Batch, Judge, Predictor
from reml.contract.retrieved import Hits, Queries, Responses
from reml.contract.retrievers import Indexer, Retriever, TrainableEncoder
from reml.contract.signals import FeedbackRecord, Prediction, Signal
from reml.contract.vectors import DenseVectors
from reml.retrievers.bm25 import BM25
from reml.testing import (
    TEXTS,
    FeedbackHandlerContract,
    IndexerContract,
    JudgeContract,
    KnowledgeSourceContract,
    MemoryCollection,
    PredictorContract,
    QueryExpansionContract,
    QueryGeneratorContract,
    ResponseProcessorContract,
    TrainableEncoderContract,
)
from tests.memory_pages import MemoryPages, numbered_pages
from tests.truths import WordEncoder


class ClosedBook(nn.Module):
    """Answers by heart; `peeks` at the first item whatever the mask says."""

    def __init__(self, *, peeks: bool = False) -> None:
        super().__init__()
        self.weight, self.peeks = nn.Parameter(torch.tensor(1.0)), peeks

    @property
    def signals(self) -> Signal:
        return Signal.NONE

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Nothing is computed ahead."""

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        if signals:
            raise ValueError(f"ClosedBook gives no {signals}.")
        return Prediction((self.weight**2).expand(len(batch.examples)))

    def generate(self, batch: Batch) -> list[Answer]:
        shown = [items[-1].text if self.peeks and items else "ice" for items in batch.read.items]
        return [
            Answer(text, tuple(map(Provenance.of, items))) for text, items in zip(shown, batch.read.items, strict=True)
        ]


class OfClosedBook(PredictorContract):
    def make(self) -> Predictor:
        return ClosedBook()


class OfSaidClosedBook(OfClosedBook):
    reads = False


class OfPeeking(PredictorContract):
    def make(self) -> Predictor:
        return ClosedBook(peeks=True)


def test_a_closed_book_passes_only_if_it_says_so(tmp_path: Path) -> None:
    OfSaidClosedBook().test_items_that_are_not_masked_are_read(tmp_path / "said")
    with pytest.raises(AssertionError, match="reads = False"):
        OfClosedBook().test_items_that_are_not_masked_are_read(tmp_path / "unsaid")


def test_who_looks_behind_the_mask_fails(tmp_path: Path) -> None:
    OfPeeking().test_items_that_are_not_masked_are_read(tmp_path / "read")
    with pytest.raises(AssertionError):
        OfPeeking().test_masked_items_have_no_influence(tmp_path / "masked")


class OfWrong(PredictorContract):
    """A reader of lists ahead that does something wrong when it is given sessions, or with its text."""

    def __init__(self, wrong: str) -> None:
        self.wrong = wrong

    def make(self) -> Predictor:
        return Wrong(self.wrong)


class Wrong(ClosedBook):
    def __init__(self, wrong: str) -> None:
        super().__init__()
        self.wrong = wrong

    def generate(self, batch: Batch) -> list[Answer]:
        found = batch.given
        if found is None and self.wrong == "name":
            found = batch.sessions["wiki"].ask()
        elif found is None and self.wrong == "contents":
            found = batch.sessions["memory"].ask(Queries(np.array([0, 1]), ("copper",)))
        elif found is None and self.wrong == "deaf":
            found = empty(len(batch.examples))
        elif found is None:
            found = batch.read if self.wrong == "none" else replace(batch.read, items=batch.read.items[::-1])
        texts = [None if self.wrong == "none" else items[0].text if items else "" for items in found.items]
        return list(map(Answer, texts))


@pytest.mark.parametrize("asks", [None, 1])
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("name", "wiki"),
        ("contents", "1 contents but 2 owners"),
        ("deaf", "it read nothing: take `batch.read`"),
        ("other", "assert"),
        ("none", r"the answers to .'1', '2'. have no text .None.: give `Answer\(\"\"\)`"),
    ],
)
def test_who_reads_lists_ahead_and_asks_wrongly_fails(wrong: str, told: str, asks: int | None, tmp_path: Path) -> None:
    if wrong != "none":
        OfWrong(wrong).test_answers_every_example(tmp_path / "ahead")
    with pytest.raises((AssertionError, KeyError, ValueError), match=told):
        OfWrong(wrong).test_works_over_sessions(asks, tmp_path / "live")


def test_an_answer_without_a_text_is_not_called_a_closed_book(tmp_path: Path) -> None:
    for check in (OfWrong("none").test_answers_every_example, OfWrong("none").test_items_that_are_not_masked_are_read):
        with pytest.raises(AssertionError, match="have no text"):
            check(tmp_path / check.__name__)


def test_who_cannot_learn_over_sessions_fails(tmp_path: Path) -> None:
    class Mean(ClosedBook):
        def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
            given = super().loss(batch, signals)
            return Prediction(given.loss.mean()) if batch.sessions else given

    class OfMean(PredictorContract):
        def make(self) -> Predictor:
            return Mean()

    OfMean().test_loss_is_one_for_each_example(tmp_path / "ahead")
    with pytest.raises(ValueError, match="the loss of Mean has the shape"):
        OfMean().test_works_over_sessions(None, tmp_path / "live")


USERS_TEST = """
import numpy as np
from reml.testing import MetricContract

class Same:
    headline = "same"

    def __call__(self, examples, answers):
        return {"same": np.full(len(examples), 0.25)}

class TestSame(MetricContract):
    def make(self):
        return Same()
"""


def test_a_contract_that_fails_shows_the_values_it_compared(tmp_path: Path) -> None:
    (tmp_path / "test_same.py").write_text(USERS_TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "test_same.py"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 failed, 3 passed" in ended.stdout, ended.stdout + ended.stderr
    assert "assert np.float64(0.25) > np.float64(0.25)" in ended.stdout


class Rebuilding:
    """Builds again whatever is there, and so finds the same."""

    def index(self, collection: Collection, folder: Path) -> Retriever:
        shutil.rmtree(folder, ignore_errors=True)
        return BM25().index(collection, folder)


class OfRebuilding(IndexerContract):
    def make(self) -> Indexer:
        return Rebuilding()


def test_who_builds_again_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="built again"):
        OfRebuilding().test_opens_what_it_built(tmp_path)


class Deaf(WordEncoder):
    """Encodes by other weights than those that are trained."""

    def __init__(self) -> None:
        super().__init__()
        self.old = WordEncoder()

    def encode_queries(self, contents: Sequence[str | Media]) -> DenseVectors:
        return self.old.encode_queries(contents)

    def fingerprint(self) -> str:
        return "deaf"


class OfDeaf(TrainableEncoderContract):
    def make(self) -> TrainableEncoder:
        return Deaf()


@pytest.mark.parametrize(
    "check",
    [
        TrainableEncoderContract.test_what_is_trained_is_what_is_searched,
        TrainableEncoderContract.test_other_weights_have_another_fingerprint,
        TrainableEncoderContract.test_a_text_is_nearest_to_itself,
    ],
)
def test_an_encoder_that_searches_with_other_weights_fails(check: Callable[[TrainableEncoderContract], None]) -> None:
    with pytest.raises(AssertionError):
        check(OfDeaf())


class Leaking:
    """Puts the right answer into the query."""

    def __call__(self, examples: Sequence[Example]) -> Queries:
        return Queries.of([" ".join([example.input, *example.answers]) for example in examples])


class OfLeaking(QueryGeneratorContract):
    def make(self) -> QueryGenerator:
        return Leaking()


def test_who_asks_with_the_answer_fails() -> None:
    OfLeaking().test_every_example_has_a_query()
    with pytest.raises(AssertionError):
        OfLeaking().test_answers_are_not_looked_at()


class Unchanged:
    """Expands nothing, or drops and invents items as a processor."""

    def __call__(self, queries: Queries, retriever: Retriever) -> Queries:
        return queries


class OfUnchanged(QueryExpansionContract):
    def make(self) -> QueryExpansion:
        return Unchanged()

    def retriever(self, folder: Path) -> Retriever:
        return BM25().index(MemoryCollection(TEXTS), folder / "bm25")


def test_who_expands_nothing_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        OfUnchanged().test_queries_become_others_of_the_same_owners(tmp_path / "one")
    with pytest.raises(AssertionError):
        OfUnchanged().test_what_they_became_is_searched_with_and_is_another(tmp_path / "two")


class Inventing:
    """Gives every query the same list, one that was not found."""

    def __call__(self, queries: Queries, responses: Responses) -> Responses:
        return gather(
            MemoryCollection(TEXTS), Hits(np.full((len(queries), 1), 3), np.ones((len(queries), 1), np.float32))
        )


class OfInventing(ResponseProcessorContract):
    def make(self) -> ResponseProcessor:
        return Inventing()


def test_a_processor_that_invents_items_fails() -> None:
    for check in (
        OfInventing().test_gives_sound_lists_of_the_same_queries,
        OfInventing().test_nothing_found_stays_nothing,
    ):
        with pytest.raises(AssertionError):
            check()


class Indifferent:
    """Finds all items equally useful; `by_position` judges them by where they stand."""

    def __init__(self, *, by_position: bool = False) -> None:
        self.by_position = by_position

    def __call__(self, examples: Sequence[Example], responses: Responses) -> Tensor:
        said = (
            torch.arange(responses.k).expand(len(examples), -1)
            if self.by_position
            else torch.ones(responses.mask.shape)
        )
        return said.float().masked_fill(~responses.mask, 0.0)


class OfIndifferent(JudgeContract):
    def make(self) -> Judge:
        return Indifferent()


class OfByPlace(JudgeContract):
    def make(self) -> Judge:
        return Indifferent(by_position=True)


def test_judges_that_do_not_look_at_items_fail() -> None:
    with pytest.raises(AssertionError, match="tells no items apart"):
        OfIndifferent().test_says_a_number_of_each_item()
    with pytest.raises(AssertionError):
        OfByPlace().test_says_the_same_wherever_an_item_stands()


class Forgetting:
    """Takes records and does nothing with them."""

    def receive(self, record: FeedbackRecord) -> None:
        """Learn nothing."""


class OfForgetting(FeedbackHandlerContract):
    def make(self, folder: Path) -> FeedbackHandler:
        return Forgetting()

    def state(self, handler: FeedbackHandler) -> object:
        return vars(handler)


def test_who_takes_feedback_and_forgets_it_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        OfForgetting().test_each_record_changes_something(tmp_path)


class Unmarked(MemoryPages):
    """Pages whose fingerprint does not change with them."""

    @property
    def fingerprint(self) -> str:
        return "always"


class OfUnmarked(KnowledgeSourceContract):
    def make(self) -> KnowledgeSource:
        return Unmarked(numbered_pages(3).held)

    def other(self) -> KnowledgeSource:
        return Unmarked([Page("1", "Chad", ("Chad", "dry"))])


def test_a_source_without_a_true_fingerprint_fails() -> None:
    with pytest.raises(AssertionError):
        OfUnmarked().test_its_fingerprint_changes_with_its_pages_alone()

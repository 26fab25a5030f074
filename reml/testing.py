"""Small real objects and contract tests, for reml's own tests and for those of your retriever, index or predictor.

Inherit a contract class in your test module and give it an instance:

    class TestMyIndex(IndexContract):
        def make(self) -> Index:
            return MyIndex()
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from reml.files import StaleError, digest
from reml.protocols import Feedback, Index, Indexer, Predictor, Task
from reml.responses import empty, gather
from reml.types import (
    Answer,
    DenseVectors,
    Example,
    Float32Array,
    Hits,
    InBatch,
    Int64Array,
    Item,
    Prediction,
    Queries,
    Representations,
    Responses,
    Signal,
    Span,
    SparseVectors,
)

TEXTS = (
    "The quick brown fox jumps over the lazy dog near the river bank.",
    "Volcanoes erupt when molten rock rises through the crust of the earth.",
    "The parliament elected a new prime minister after a long debate.",
    "Copper and zinc are exported from the harbour to three continents.",
    "Penguins breed on the ice while their partners fish in the cold sea.",
)


class MemoryCollection:
    """A collection in memory, from texts; row ids are 0, 1, 2, ... and each text is a page of its own."""

    def __init__(self, texts: Sequence[str], titles: Sequence[str] | None = None) -> None:
        titles = titles if titles is not None else [f"Page {number}" for number in range(len(texts))]
        self._items = [
            Item(row=row, text=text, title=title, page_id=str(row), span=Span(1, 0, 1, len(text)))
            for row, (text, title) in enumerate(zip(texts, titles, strict=True))
        ]

    @property
    def fingerprint(self) -> str:
        """A digest of the texts and titles."""
        return digest([[item.title, item.text] for item in self._items])

    @property
    def version(self) -> int:
        """Always 1: it does not change."""
        return 1

    def __len__(self) -> int:
        return len(self._items)

    def rows(self) -> Int64Array:
        """All row ids."""
        return np.arange(len(self._items), dtype=np.int64)

    def get(self, rows: Int64Array) -> list[Item]:
        """Give the items of these rows, in this order."""
        wrong = [int(row) for row in rows if not 0 <= row < len(self._items)]
        if wrong:
            raise KeyError(f"rows {wrong[:5]} are not in the collection of {len(self._items)} items.")
        return [self._items[row] for row in rows]

    def batches(self, size: int, start: int = 0) -> Iterator[list[Item]]:
        """Yield all items from row id `start` on, at most `size` at a time."""
        for first in range(start, len(self._items), size):
            yield self._items[first : first + size]


class IndexContract(ABC):
    """What every index must do. Set `exact = False` for one that may miss items."""

    exact = True

    @abstractmethod
    def make(self, folder: Path) -> Index:
        """Make an empty index; `folder` is an empty folder of its own."""

    @abstractmethod
    def vectors(self, count: int, seed: int) -> Representations:
        """Make random representations, of items or queries, of the kind and width the index takes."""

    def test_gives_the_best_items_first(self, tmp_path: Path) -> None:
        """Hits are the items with the largest dot products, in order; ties by row."""
        index, rows, items = self._filled(tmp_path)
        queries = self.vectors(7, seed=2)
        hits = index.search(queries, 5)
        assert hits.rows.shape == hits.scores.shape == (7, 5)
        assert hits.rows.dtype == np.int64
        assert hits.scores.dtype == np.float32
        products = matrix(queries) @ matrix(items).T
        expected = Hits.ranked(np.where(products > 0, rows, -1) if _sparse(items) else _tiled(rows, 7), products, 5)
        np.testing.assert_allclose(hits.scores[:, 0], expected.scores[:, 0], rtol=1e-4, atol=1e-5)
        if self.exact:
            np.testing.assert_allclose(hits.scores, expected.scores, rtol=1e-4, atol=1e-5)
            np.testing.assert_array_equal(hits.rows, expected.rows)

    def test_pads_when_there_are_fewer_items_than_k(self, tmp_path: Path) -> None:
        """A k larger than the index leaves -1 and -inf at the end."""
        index, rows, _ = self._filled(tmp_path)
        hits = index.search(self.vectors(2, seed=3), len(rows) + 4)
        assert (hits.rows[:, -4:] == -1).all()
        assert np.isneginf(hits.scores[:, -4:]).all()
        assert (np.diff(hits.mask.astype(int), axis=1) <= 0).all(), "padding must stand at the end"

    def test_refuses_k_below_one(self, tmp_path: Path) -> None:
        """A k of 0 is an error."""
        index, _, _ = self._filled(tmp_path)
        with pytest.raises(ValueError, match="k"):
            index.search(self.vectors(1, seed=3), 0)

    def test_refuses_rows_it_holds(self, tmp_path: Path) -> None:
        """Row ids are never used twice."""
        index, rows, items = self._filled(tmp_path)
        with pytest.raises(ValueError, match=str(rows[0])):
            index.add(rows, items)

    def test_forgets_what_is_deleted(self, tmp_path: Path) -> None:
        """A deleted item is never found again; deleting what is not there is an error."""
        index, _, _ = self._filled(tmp_path)
        queries = self.vectors(1, seed=2)
        best = index.search(queries, 1).rows[0]
        before = len(index)
        index.delete(best)
        assert len(index) == before - 1
        assert best[0] not in index.search(queries, before).rows
        with pytest.raises(KeyError):
            index.delete(best)

    def _filled(self, folder: Path) -> tuple[Index, Int64Array, Representations]:
        index, items = self.make(folder), self.vectors(60, seed=1)
        rows = np.arange(60, dtype=np.int64) * 3 + 5
        index.add(rows, items)
        assert len(index) == 60
        return index, rows, items


class IndexerContract(ABC):
    """What every retriever must do, over a small collection of English texts."""

    @abstractmethod
    def make(self) -> Indexer:
        """Make the retriever's settings."""

    def test_finds_a_text_by_its_own_words(self, tmp_path: Path) -> None:
        """Each text is the first hit of itself, and hits are sorted and padded."""
        collection = MemoryCollection(TEXTS)
        retriever = self.make().index(collection, tmp_path / "index")
        hits = retriever.search(Queries.of(TEXTS), 7)
        assert hits.rows[:, 0].tolist() == list(range(len(TEXTS)))
        assert hits.rows.shape == (len(TEXTS), 7)
        assert (hits.rows[:, len(TEXTS) :] == -1).all()
        assert (np.diff(np.where(hits.mask, hits.scores, -1e30), axis=1) <= 0).all()

    def test_scores_anew_what_it_found(self, tmp_path: Path) -> None:
        """`score` puts the items in the order of `search`, and gives -inf at padding."""
        retriever = self.make().index(MemoryCollection(TEXTS), tmp_path / "index")
        queries = Queries.of(TEXTS[:2])
        hits = retriever.search(queries, 6)
        scores = retriever.score(queries, hits.rows)
        assert scores.shape == hits.rows.shape
        np.testing.assert_allclose(scores.detach().float().cpu(), hits.scores, rtol=2e-2, atol=2e-2)

    def test_a_query_that_says_nothing_has_no_hits(self, tmp_path: Path) -> None:
        """Blank queries get padding only."""
        retriever = self.make().index(MemoryCollection(TEXTS), tmp_path / "index")
        assert (retriever.search(Queries.of(["", "  "]), 3).rows == -1).all()

    def test_opens_what_it_built(self, tmp_path: Path) -> None:
        """The same folder and collection give the same hits, without building again."""
        first = self.make().index(MemoryCollection(TEXTS), tmp_path / "index").search(Queries.of(TEXTS), 3)
        again = self.make().index(MemoryCollection(TEXTS), tmp_path / "index").search(Queries.of(TEXTS), 3)
        np.testing.assert_array_equal(first.rows, again.rows)
        np.testing.assert_array_equal(first.scores, again.scores)

    def test_refuses_a_folder_of_another_collection(self, tmp_path: Path) -> None:
        """An index never answers for a collection it was not built for."""
        self.make().index(MemoryCollection(TEXTS), tmp_path / "index")
        with pytest.raises(StaleError):
            self.make().index(MemoryCollection(TEXTS[:3]), tmp_path / "index")


class PredictorContract(ABC):
    """What every predictor must do."""

    @abstractmethod
    def make(self) -> Predictor:
        """Make a small predictor."""

    def test_is_a_module(self) -> None:
        """A predictor is an `nn.Module`, so that it is trained, moved and saved like any other."""
        assert isinstance(self.make(), nn.Module)

    def test_loss_is_one_for_each_example(self, tmp_path: Path) -> None:
        """The loss is finite, [B], and has a gradient."""
        predictor, examples, responses = self._asked(tmp_path)
        loss = predictor.loss(examples, responses).loss
        assert loss.shape == (len(examples),)
        assert torch.isfinite(loss).all()
        loss.sum().backward()  # type: ignore[no-untyped-call]
        assert isinstance(predictor, nn.Module)
        gradients = [value.grad for value in predictor.parameters() if value.grad is not None]
        assert all(torch.isfinite(gradient).all() for gradient in gradients), "padding must not reach a gradient"

    def test_answers_every_example(self, tmp_path: Path) -> None:
        """One answer for each, whose provenance is among the items it was given."""
        predictor, examples, responses = self._asked(tmp_path)
        answers = predictor.generate(examples, responses)
        assert len(answers) == len(examples)
        for answer, items in zip(answers, responses.items, strict=True):
            assert {place.wikipedia_id for place in answer.provenance} <= {item.page_id for item in items}

    def test_works_without_items(self, tmp_path: Path) -> None:
        """K = 0: the closed book."""
        predictor, examples, _ = self._asked(tmp_path)
        assert len(predictor.generate(examples, empty(len(examples)))) == len(examples)
        assert torch.isfinite(predictor.loss(examples, empty(len(examples))).loss).all()

    def test_gives_the_signals_it_names(self, tmp_path: Path) -> None:
        """Likelihoods are [B, K], at most 0 and -inf at padding; a signal it does not name is refused."""
        predictor, examples, responses = self._asked(tmp_path)
        if Signal.ITEM_LIKELIHOOD in predictor.signals:
            found = predictor.loss(examples, responses, Signal.ITEM_LIKELIHOOD).item_log_likelihood
            assert found is not None
            assert found.shape == responses.rows.shape
            assert torch.isneginf(found[~responses.mask]).all()
            assert torch.isfinite(found[responses.mask]).all()
        for signal in Signal:
            if signal not in predictor.signals:
                with pytest.raises(ValueError, match=r"\w"):
                    predictor.loss(examples, responses, signal)

    def _asked(self, folder: Path) -> tuple[Predictor, list[Example], Responses]:
        torch.manual_seed(0)
        collection, predictor = MemoryCollection(TEXTS), self.make()
        predictor.prepare(collection, folder / "prepared")
        examples = [
            Example("1", "What do penguins breed on?", (Answer("ice"),)),
            Example("2", "What is exported from the harbour?", (Answer("Copper and zinc"), Answer("copper"))),
        ]
        rows = np.array([[4, 0, 1], [3, 2, -1]], dtype=np.int64)
        scores = np.array([[3, 2, 1], [2, 1, -np.inf]], dtype=np.float32)
        return predictor, examples, gather(collection, Hits(rows, scores))


class TaskContract(ABC):
    """What every task must do."""

    splits: Sequence[str] = ("train", "dev")

    @abstractmethod
    def make(self) -> Task:
        """Make the task."""

    def test_examples_are_sound(self) -> None:
        """Ids are unique over the splits, and every page that an answer comes from is in the knowledge source."""
        task = self.make()
        pages = {page.id for page in task.source().pages()}
        examples = [example for split in self.splits for example in task.examples(split)]
        assert examples
        assert len({example.id for example in examples}) == len(examples)
        named = {place.wikipedia_id for example in examples for answer in example.output for place in answer.provenance}
        assert named <= pages

    def test_is_the_same_every_time(self) -> None:
        """Two instances give the same examples and the same pages."""
        one, two = self.make(), self.make()
        assert one.name == two.name
        assert one.source().fingerprint == two.source().fingerprint
        assert all(list(one.examples(split)) == list(two.examples(split)) for split in self.splits)

    def test_refuses_a_split_it_does_not_have(self) -> None:
        """The error names the split."""
        with pytest.raises(ValueError, match="no-such-split"):
            self.make().examples("no-such-split")


class FeedbackContract(ABC):
    """What every feedback objective must do."""

    @abstractmethod
    def make(self) -> Feedback:
        """Make the objective."""

    def prediction(self) -> Prediction:
        """Make what a predictor gives for 2 examples with 3 items, the last of the second one padding."""
        likelihood = torch.tensor([[-1.0, -2.0, -3.0], [-2.0, -0.5, -torch.inf]])
        tokens = torch.stack([likelihood.masked_fill(likelihood.isinf(), 0) / 2] * 2, dim=-1)  # [B, K] -> [B, K, T]
        return Prediction(
            loss=torch.ones(2),
            item_log_likelihood=likelihood,
            token_log_likelihood=tokens,
            target_mask=torch.ones(2, 2, dtype=torch.bool),
            attention=torch.tensor([[0.5, 0.3, 0.2], [0.6, 0.4, 0.0]]),
            leave_one_out=torch.tensor([[-3.0, -2.0, -1.0], [-0.5, -2.0, -torch.inf]]),
            samples=((Answer("a"), Answer("b")), (Answer("a"), Answer("c"))),
            sample_log_likelihood=torch.stack([likelihood, 2 * likelihood], dim=1),
            utilities=torch.tensor([[1.0, 0.2], [1.0, 0.0]]),
            item_utility=torch.tensor([[1.0, 0.0, 0.2], [0.0, 1.0, 0.0]]),
            in_batch=InBatch(torch.zeros(2, 2), torch.ones(2, 2, dtype=torch.bool), torch.zeros(2, 2)),
            null_log_likelihood=torch.tensor([[-4.0], [-3.0]]),
        )

    def test_teaches_the_scores_and_only_those_of_items(self) -> None:
        """The loss is [B] and finite; padding gets no gradient, items do."""
        torch.manual_seed(0)
        scores = torch.tensor([[0.3, 0.2, 0.1], [0.0, 0.4, -torch.inf]], requires_grad=True)
        mask = torch.tensor([[True, True, True], [True, True, False]])
        loss = self.make()(scores, mask, self.prediction())
        assert loss.shape == (2,)
        assert torch.isfinite(loss).all()
        (gradient,) = torch.autograd.grad(loss.sum(), scores)
        assert torch.isfinite(gradient).all()
        assert gradient[1, 2] == 0
        assert (gradient[mask] != 0).any()

    def test_an_example_without_items_teaches_nothing(self) -> None:
        """Where all items are masked, the loss is finite and the scores get no gradient."""
        scores = torch.full((2, 3), -torch.inf, requires_grad=True)
        loss = self.make()(scores, torch.zeros(2, 3, dtype=torch.bool), self.prediction())
        assert torch.isfinite(loss).all()
        if loss.requires_grad:
            assert torch.autograd.grad(loss.sum(), scores)[0].tolist() == [[0.0] * 3] * 2


def matrix(vectors: Representations) -> Float32Array:
    """Give representations as a dense matrix [n, width]."""
    if isinstance(vectors, DenseVectors):
        return vectors.values
    dense = np.zeros((len(vectors), vectors.width), dtype=np.float32)
    dense[np.repeat(np.arange(len(vectors)), np.diff(vectors.indptr)), vectors.dimensions] = vectors.weights
    return dense


def _sparse(vectors: Representations) -> bool:
    return isinstance(vectors, SparseVectors)


def _tiled(rows: Int64Array, count: int) -> Int64Array:
    return np.tile(rows, (count, 1))

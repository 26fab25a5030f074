"""A span of what was read is the next query; the oracle that trains the pointer is checked against all candidates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.access.responses import empty
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example, Item, Provenance
from reml.contract.predictor_module import PredictorModule
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Queries
from reml.contract.signals import Prediction, Signal
from reml.predictors.first_title import FirstTitle
from reml.predictors.golden import SpanQuery, best_of, missed, phrases
from reml.predictors.reading.pairs import Part
from reml.predictors.span import Span
from reml.retrievers.bm25 import BM25
from reml.testing import MemoryCollection, PredictorContract

TEXTS = [
    "The largest neighbour of Ghana is Togo, not Mali or Togo Land.",
    "Its capital is Lome.",
    "It is near.",
    "Mali.",
]
COUNTRIES = MemoryCollection(TEXTS, ["Ghana", "Togo", "Near", "Mali"])
EXAMPLE = Example("1", "the largest neighbour of Ghana", (Answer("Lome", (Provenance("0"), Provenance("1"))),))


def access(folder: Path, asks: int | None = None) -> InformationAccess:
    retriever = BM25().index(COUNTRIES, folder / "bm25")
    return InformationAccess(retriever, limits=Limits(depth=4, k=1, asks=asks), name="wiki")


def opened(folder: Path, asks: int | None = None) -> Batch:
    return Batch((EXAMPLE,), {"wiki": access(folder, asks).open([EXAMPLE])})


class WantsTogo(PredictorModule):
    """Answers with the first title, and finds the right answer likely where the page of Togo is read."""

    @property
    def signals(self) -> Signal:
        return Signal.NONE

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Nothing is computed ahead."""

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        return Prediction(
            torch.tensor([1.0 - any(item.page_id == "1" for item in items) for items in batch.read.items])
        )

    def generate(self, batch: Batch) -> list[Answer]:
        return FirstTitle().generate(batch)


class TestContract(PredictorContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tiny_bert: str) -> None:
        self.folder = tiny_bert

    def make(self) -> Predictor:
        return SpanQuery(lambda: Span(self.folder, input_tokens=64), self.folder, input_tokens=64)


@pytest.fixture
def golden(tiny_bert: str) -> SpanQuery:
    torch.manual_seed(0)
    return SpanQuery(FirstTitle, tiny_bert, input_tokens=128, k=4, query="span")


def test_candidates_are_titles_and_then_phrases_in_turn_each_once() -> None:
    items = [Item(0, "The Gulf of Guinea; Togo and Mali.", "Ghana"), Item(1, "Lome.", "Togo")]
    assert phrases(items, 9) == ("Ghana", "Togo", "The Gulf of Guinea", "Lome", "Togo and Mali")
    assert phrases(items, 2) == ("Ghana", "Togo")
    assert phrases([], 2) == ()


def test_what_is_missed_is_of_the_answer_that_lacks_least() -> None:
    both = Example(
        "1", "x", (Answer("a", (Provenance("0"), Provenance("7"))), Answer("b", (Provenance("8"), Provenance("9"))))
    )
    assert missed(both, [Item(0, page_id="0")]) == {"7"}
    assert missed(both, [Item(0, page_id="0"), Item(1, page_id="7")]) == frozenset()
    assert missed(Example("1", "x"), []) == frozenset()
    assert best_of(["a", "b", "c"], [0.5, 0.0, 0.5]) == ("a", "c")
    assert best_of(["a"], [0.0]) == best_of([], []) == ()


def test_the_right_spans_are_those_whose_queries_find_the_next_page_best(golden: SpanQuery, tmp_path: Path) -> None:
    batch = opened(tmp_path)
    reading = golden._read(batch.examples, batch.read)
    tried = golden._candidates(reading)
    (right,) = golden._right(batch, tried)
    read, ranks = batch.read.rows[0, 0], {}
    for span in phrases(batch.read.items[0], 16):
        (items,) = access(tmp_path).open([EXAMPLE]).ask(Queries.of([span]), k=4).items
        others = [item for item in items if item.row != read]
        ranks[span] = next((rank for rank, item in enumerate(others) if item.page_id == "1"), 99)
    assert min(ranks.values()) < max(ranks.values()), "the candidates differ"
    assert right == tuple(span for span, rank in ranks.items() if rank == min(ranks.values()))
    asked = len(batch.sessions["wiki"].asked)
    assert golden._right(batch, tried) == [right]
    assert len(batch.sessions["wiki"].asked) == asked, "what is known is not asked for again"


def test_a_candidate_scores_by_every_place_where_it_stands_by_enumeration(golden: SpanQuery, tmp_path: Path) -> None:
    batch = opened(tmp_path)
    reading = golden._read(batch.examples, batch.read)
    ids, parts = reading.pairs.ids[0].tolist(), reading.pairs.parts[0].tolist()
    starts, ends = golden._logits(reading.pairs)
    tried, sums = ("Ghana", "Togo", "Mali", "Nowhere"), []
    for span in tried:
        wanted = golden.tokeniser(span, add_special_tokens=False)["input_ids"]
        length = len(wanted)
        places = [
            first for first in range(len(ids)) if ids[first : first + length] == wanted and parts[first] >= Part.TITLE
        ]
        assert len(places) == {"Ghana": 2, "Togo": 2, "Mali": 1, "Nowhere": 0}[span], "places in the question are none"
        sums.append(sum(float((starts[0, first] + ends[0, first + length - 1]).detach().exp()) for first in places))
    found = golden.scores(reading, [tried]).detach()
    torch.testing.assert_close(found[0, :3].exp(), torch.tensor(sums[:3]))
    assert float(found[0, 3]) < -1e8
    (loss,) = (-golden.pointer_loss(reading, [tried], [("Togo", "Mali")])).detach().exp().tolist()
    assert loss == pytest.approx((sums[1] + sums[2]) / sum(sums))
    assert golden.pointer_loss(reading, [tried], [()]).tolist() == [0.0]
    assert golden.pointer_loss(reading, [tried], [("Nowhere",)]).tolist() == [0.0], "it was cut off"


@pytest.mark.parametrize("teacher", ["gold", "predictor"])
def test_it_learns_to_point_to_what_leads_on(teacher: str, tiny_bert: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    settings = {"input_tokens": 128, "k": 2, "teacher": teacher, "query": "span"}
    golden = SpanQuery(WantsTogo, tiny_bert, **settings)  # type: ignore[arg-type]
    optimizer = torch.optim.Adam(golden.parameters(), lr=3e-3)
    batch = opened(tmp_path)
    losses = []
    for _ in range(25):
        loss = golden.loss(batch).loss.sum()
        losses.append(float(loss.detach()))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert losses[-1] < losses[0]
    served = opened(tmp_path)
    (answer,) = golden.generate(served)
    (span,) = golden.spans(served)
    assert span in ("Togo", "Togo Land")
    assert served.sessions["wiki"].asked[1][0].texts == (span,)
    assert [place.title for place in answer.provenance] == ["Ghana", "Togo"]


def test_the_question_may_stand_before_the_span_and_what_was_read_is_not_found_again(
    tiny_bert: str, tmp_path: Path
) -> None:
    golden = SpanQuery(FirstTitle, tiny_bert, input_tokens=128, k=4)
    batch = opened(tmp_path)
    (span,) = golden.spans(batch)
    (answer,) = golden.generate(batch)
    ((first, _), (second, found)) = batch.sessions["wiki"].asked
    assert (first.texts, second.texts) == ((EXAMPLE.input,), (f"{EXAMPLE.input} {span}",))
    assert "Ghana" not in [item.title for item in found.items[0]]
    assert len({place.wikipedia_id for place in answer.provenance}) == len(answer.provenance) > 1


def test_a_budget_of_one_leaves_the_first_reading(golden: SpanQuery, tmp_path: Path) -> None:
    batch = opened(tmp_path, asks=1)
    (answer,) = golden.generate(batch)
    assert [place.title for place in answer.provenance] == ["Ghana"]
    assert golden.spans(Batch.of((EXAMPLE,), empty(1))) == [""]
    assert issubclass(SpanQuery, PredictorModule)

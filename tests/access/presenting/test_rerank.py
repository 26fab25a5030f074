from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from jsonargparse import ArgumentParser
from torch import Tensor, nn

from reml.access.presenting import MaxPassage, Rerank
from reml.access.responses import gather
from reml.access.similarity import at
from reml.contract.access import ResponseProcessor
from reml.contract.examples import Item
from reml.contract.retrieved import Hits, Queries, Responses
from reml.contract.retrievers import Scorer
from reml.contract.vectors import Int64Array
from reml.retrievers.rankers.cross_encoder import CrossEncoder
from reml.retrievers.rankers.idcm import IDCM, Form
from reml.retrievers.rankers.windows import Windows
from reml.testing import MemoryCollection, ResponseProcessorContract
from tests.access.presenting.lists import found as found_of
from tests.access.presenting.lists import item
from tests.small_cross_encoder import write_cross_encoder

ITEMS = MemoryCollection(["aaa", "b", "ab", "aa"])
QUERIES = Queries.of(["a", "b"])


def responses() -> Responses:
    rows = np.array([[1, 2, 3, 0], [0, 1, -1, -1]])
    scores = np.array([[9, 8, 7, 6], [5, 4, -np.inf, -np.inf]], dtype=np.float32)
    return gather(ITEMS, Hits(rows, scores))


class Letters:
    """Scores by how often the item has the query's letter, times a weight, with dropout while it is trained."""

    def __init__(self) -> None:
        self.module = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Dropout(1.0))
        nn.init.constant_(self.module[0].weight, 2.0)  # type: ignore[arg-type]
        self.given: list[int] = []
        self.asked: tuple[str, ...] = ()

    def score(self, queries: Queries, items: Sequence[Item], positions: Int64Array) -> Tensor:
        self.given, self.asked = [item.row for item in items], queries.texts
        counts = torch.tensor([[float(item.text.count(text)) for item in items] for text in queries.texts])
        return at(self.module(counts[..., None])[..., 0], positions)


def test_items_come_in_the_order_of_the_scorer_and_ties_in_their_own() -> None:
    """Of a: b 0, ab 1, aa 2, aaa 3. Of b: aaa 0, b 1. Each distinct item is given once."""
    scorer = Letters()
    found = Rerank(scorer)(QUERIES, responses())
    assert found.rows.tolist() == [[0, 3, 2, 1], [1, 0, -1, -1]]
    assert [[item.text for item in items] for items in found.items] == [["aaa", "aa", "ab", "b"], ["b", "aaa"]]
    assert found.scores.tolist() == [[6, 4, 2, 0], [2, 0, -torch.inf, -torch.inf]]
    assert found.mask.tolist() == [[True] * 4, [True, True, False, False]]
    assert scorer.given == [0, 1, 2, 3]
    tied = Rerank(Letters())(Queries.of(["x", "x"]), responses())
    assert tied.rows.tolist() == responses().rows.tolist()


def test_scores_have_no_gradient_and_no_dropout_and_the_scorer_stays_in_its_mode() -> None:
    scorer = Letters()
    scorer.module.train()
    found = Rerank(scorer)(QUERIES, responses())
    assert found.scores[0, 0] == 6
    assert not found.scores.requires_grad
    assert scorer.module.training
    assert scorer.module[1].training


def test_the_best_are_kept() -> None:
    found = Rerank(Letters(), keep=2)(QUERIES, responses())
    assert found.rows.tolist() == [[0, 3], [1, 0]]
    assert Rerank(Letters(), keep=9)(QUERIES, responses()).rows.shape == (2, 4)
    with pytest.raises(ValueError, match="1 or more, not 0"):
        Rerank(Letters(), keep=0)


def test_a_row_of_responses_is_of_one_query() -> None:
    with pytest.raises(ValueError, match="2 rows of responses are not those of 1 queries"):
        Rerank(Letters())(Queries.of(["a"]), responses())


def test_a_score_that_is_no_number_is_refused_and_so_is_a_ranker_that_is_only_named() -> None:
    scorer = Letters()
    nn.init.constant_(scorer.module[0].weight, torch.nan)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"Letters gives no number \(NaN\) as the score of the item 1"):
        Rerank(scorer)(QUERIES, responses())
    with pytest.raises(ValueError, match="'words' names a ranker, which an experiment has under `rankers`"):
        Rerank("words")(QUERIES, responses())


def test_nothing_stays_nothing() -> None:
    nothing = gather(ITEMS, Hits(np.full((2, 3), -1), np.full((2, 3), -np.inf, dtype=np.float32)))
    assert list(Rerank(Letters())(QUERIES, nothing).items) == [(), ()]


def test_a_configuration_names_the_scorer_and_a_cross_encoder_reranks(tmp_path: Path) -> None:
    model = write_cross_encoder(tmp_path / "model")
    scorer = {"class_path": "reml.retrievers.rankers.cross_encoder.CrossEncoder", "init_args": {"model": model}}
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(Rerank, "rerank")
    written = {"class_path": "reml.access.presenting.Rerank", "init_args": {"scorer": scorer, "keep": 3}}
    made = parser.instantiate(parser.parse_object({"rerank": written})).rerank
    assert isinstance(made, Rerank)
    assert isinstance(made.scorer, CrossEncoder)
    found = made(QUERIES, responses())
    anew = CrossEncoder(model).score(QUERIES, ITEMS.get(ITEMS.rows()), responses().rows).detach()
    assert found.scores.tolist() == pytest.approx(anew.sort(dim=1, descending=True).values[:, :3].numpy(), abs=1e-2)


def test_a_configuration_says_how_long_items_are_read(tmp_path: Path) -> None:
    model, rankers = write_cross_encoder(tmp_path / "model"), "reml.retrievers.rankers"
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(Rerank, "rerank")
    for scorer, expected in (
        (
            {
                "class_path": f"{rankers}.cross_encoder.CrossEncoder",
                "init_args": {"windows": {"words": 9, "stride": 5}},
            },
            CrossEncoder(model, windows=Windows(words=9, stride=5)),
        ),
        (
            {"class_path": f"{rankers}.idcm.IDCM", "init_args": {"form": {"window": 9}, "select": 2}},
            IDCM(model, form=Form(window=9), select=2),
        ),
    ):
        named = {**scorer, "init_args": {"model": model, **scorer["init_args"]}}  # type: ignore[dict-item]
        written = {"class_path": "reml.access.presenting.Rerank", "init_args": {"scorer": named}}
        made = parser.instantiate(parser.parse_object({"rerank": written})).rerank
        assert repr(made.scorer) == repr(expected)
        assert made.scorer.fingerprint() == expected.fingerprint()


def test_cross_encoders_and_encoders_are_scorers(tmp_path: Path) -> None:
    scorer: Scorer = CrossEncoder(write_cross_encoder(tmp_path / "model"))
    assert isinstance(scorer, Scorer)


def test_only_the_first_are_scored_and_the_others_follow_just_below() -> None:
    """Of a: b 0, ab 1; then aa and aaa, as they stood. Of b: aaa 0, b 1."""
    scorer = Letters()
    found = Rerank(scorer, depth=2)(QUERIES, responses())
    assert scorer.given == [0, 1, 2], "aa is read for nobody"
    assert found.rows.tolist() == [[2, 1, 3, 0], [1, 0, -1, -1]]
    assert found.scores[0].tolist() == pytest.approx([2, 0, 0, 0], abs=1e-30)
    assert (found.scores[0].diff() < 0).all(), "no later stage may take them for equals"
    assert found.scores[1].tolist() == [2, 0, -torch.inf, -torch.inf]
    assert Rerank(Letters(), keep=3, depth=2)(QUERIES, responses()).rows.tolist() == [[2, 1, 3], [1, 0, -1]]
    assert Rerank(Letters(), depth=9)(QUERIES, responses()).rows.tolist() == [[0, 3, 2, 1], [1, 0, -1, -1]]


def test_a_query_whose_first_item_leads_is_not_scored() -> None:
    """The leads are 1/9 and 1/5 of the first score."""
    scorer = Letters()
    found = Rerank(scorer, margin=0.2, keep=3)(QUERIES, responses())
    assert scorer.asked == ("a",)
    assert found.rows.tolist() == [[0, 3, 2], [0, 1, -1]]
    assert found.scores.tolist() == [[6, 4, 2], [5, 4, -torch.inf]], "each query has scores of one kind"
    assert [[item.text for item in items] for items in found.items] == [["aaa", "aa", "ab"], ["aaa", "b"]]
    scorer = Letters()
    found = Rerank(scorer, margin=0.1)(QUERIES, responses())
    assert scorer.asked == (), "of no query is anything asked"
    assert found.rows.tolist() == responses().rows.tolist()
    assert found.scores.tolist() == responses().scores.tolist()


@pytest.mark.parametrize(
    ("scores", "leads"),
    [
        ([4.0, 2.0], True),
        ([4.0, 2.1], False),
        ([4.0, 0.0], True),
        ([4.0], True),
        ([0.0], False),
        ([-1.0, -9.0], False),
        ([0.1, -9.0], False),
        ([2.0, 4.0], False),
        ([torch.nan, 1.0], False),
        ([4.0, torch.nan], False),
        ([], False),
    ],
)
def test_a_share_of_what_says_nothing_lets_no_query_leave(scores: list[float], leads: bool) -> None:
    items = [item(row, "a" * row) for row in range(len(scores))]
    listed, scorer = found_of(items, scores=[scores]), Letters()
    processor = Rerank(scorer, margin=0.5)
    assert processor.reads(listed) == (0 if leads else len(scores))
    processor(Queries.of(["a"]), listed)
    assert scorer.asked == (() if leads or not scores else ("a",))


ROW = st.lists(st.floats(-2, 9, width=32), max_size=6)


@given(
    st.lists(ROW, min_size=1, max_size=4),
    st.integers(1, 7),
    st.one_of(st.none(), st.sampled_from([0.1, 0.5, 1.0])),
    st.sampled_from([0.0, 0.5, 2.0]),
)
def test_each_query_is_as_a_loop_says(rows: list[list[float]], depth: int, margin: float | None, former: float) -> None:
    rows = [sorted(row, reverse=True) for row in rows]
    lists = [
        [item(row, "ab"[(row * 7 + query) % 2] * row) for row in range(len(own))] for query, own in enumerate(rows)
    ]
    listed = found_of(*lists, scores=rows)
    processor = Rerank(Letters(), depth=depth, margin=margin, former=former)
    found, read = processor(Queries.of(["a"] * len(rows)), listed), 0
    for items, own, ours in zip(lists, rows, found.items, strict=True):
        second = own[1] if len(own) > 1 else 0.0
        expected = list(range(len(own)))
        if margin is None or not own or own[0] <= 0 or second < 0 or own[0] - second < margin * own[0]:
            read += min(depth, len(own))
            new = [2 * one.text.count("a") + former * score for one, score in zip(items, own, strict=True)]
            expected = sorted(expected[:depth], key=lambda place: -np.float32(new[place])) + expected[depth:]
        assert [one.row for one in ours] == expected
    assert processor.reads(listed) == read
    assert not found.scores.requires_grad
    for scores, mask in zip(found.scores, found.mask, strict=True):
        assert (scores[mask].diff() <= 0).all(), "best first"


@pytest.mark.parametrize(("name", "value"), [("depth", 0), ("margin", 0.0), ("margin", 1.5), ("former", -1.0)])
def test_what_reads_nothing_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"Rerank\.{name} is {value}, but must be"):
        Rerank(Letters(), **{name: value})  # type: ignore[arg-type]


def test_former_scores_count_as_much_as_is_said() -> None:
    """Of a: b 0, ab 2, aa 4, aaa 6, which came with 9, 8, 7 and 6. Of b, which has two items: aaa 0, b 2, with 5, 4."""
    found = Rerank(Letters(), former=0.5)(QUERIES, responses())
    assert found.rows.tolist() == [[0, 3, 2, 1], [1, 0, -1, -1]]
    assert found.scores.tolist() == [[9, 7.5, 6, 4.5], [4, 2.5, -torch.inf, -torch.inf]]
    assert Rerank(Letters(), former=5.0)(QUERIES, responses()).rows.tolist() == [[1, 2, 3, 0], [0, 1, -1, -1]]


def test_a_named_ranker_keeps_what_is_said_of_it() -> None:
    own = Rerank("cross", keep=3, depth=2, margin=0.2, former=0.5).with_scorer(Letters())
    assert (own.keep, own.depth, own.margin, own.former) == (3, 2, 0.2, 0.5)


def test_the_best_passage_of_a_page_stands_for_it() -> None:
    """Pages: x has rows 0 and 2, y row 1, none row 3 and row 4."""
    items = [
        Item(row, text, "", page, span)
        for (row, text, page), span in zip(
            [(0, "x1", "x"), (1, "y", "y"), (2, "x2", "x"), (3, "n1", ""), (4, "n2", "")],
            [item.span for item in MemoryCollection(["x"] * 5).get(np.arange(5))],
            strict=True,
        )
    ]
    scores = torch.tensor(
        [[1.0, 4.0, 5.0, 4.0, 2.0], [3.0, 1.0, -torch.inf, -torch.inf, -torch.inf]], requires_grad=True
    )
    listed = Responses(
        (tuple(items), (items[0], items[2])),
        np.array([[0, 1, 2, 3, 4], [0, 2, -1, -1, -1]]),
        scores,
        torch.isfinite(scores),
    )
    found = MaxPassage()(QUERIES, listed)
    assert found.rows.tolist() == [[2, 1, 3, 4], [0, -1, -1, -1]]
    assert found.scores.tolist() == [[5, 4, 4, 2], [3, -torch.inf, -torch.inf, -torch.inf]]
    assert [[item.text for item in row] for row in found.items] == [["x2", "y", "n1", "n2"], ["x1"]]
    assert found.scores.requires_grad


def test_several_passages_of_a_page_count_for_more_than_one_by_a_temperature() -> None:
    pages = [tuple(item(row, "", page=page) for row, page in enumerate("xyyy")), (item(4, "", page="x"),)]
    scores = torch.tensor([[2.0, 1.5, 1.0, -3.0], [1.0, *[-torch.inf] * 3]], requires_grad=True)
    rows = np.array([[0, 1, 2, 3], [4, -1, -1, -1]])
    listed = Responses(pages, rows, scores, torch.isfinite(scores))
    found = MaxPassage(temperature=0.5)(QUERIES, listed)
    whole = 0.5 * np.log(sum(np.exp(score / 0.5) for score in (1.5, 1.0, -3.0)))
    assert found.rows.tolist() == [[0, 1], [4, -1]]
    assert found.scores[0].tolist() == pytest.approx([2.0, whole])
    warm = MaxPassage(temperature=2.0)(QUERIES, listed)
    assert warm.rows.tolist() == [[1, 0], [4, -1]], "the best item of the better page stands for it"
    warm.scores[0, 0].backward()  # type: ignore[no-untyped-call]
    assert scores.grad is not None
    shares = np.exp(np.array([1.5, 1.0, -3.0]) / 2)
    assert scores.grad.tolist() == [pytest.approx([0.0, *(shares / shares.sum())]), [0.0] * 4]


class TestRerank(ResponseProcessorContract):
    def make(self) -> ResponseProcessor:
        return Rerank(Letters(), keep=3)


class TestSparingRerank(ResponseProcessorContract):
    def make(self) -> ResponseProcessor:
        return Rerank(Letters(), depth=1, margin=0.4)


class TestMaxPassage(ResponseProcessorContract):
    def make(self) -> ResponseProcessor:
        return MaxPassage()


class TestWarmMaxPassage(ResponseProcessorContract):
    def make(self) -> ResponseProcessor:
        return MaxPassage(temperature=2.0)

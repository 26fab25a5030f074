from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from reml.access.presenting import Compress, Rerank, Snippet
from reml.access.presenting.cutting import GAP
from reml.access.presenting.rankers import named_rankers, with_rankers
from reml.access.presenting.scoring import by_words
from reml.contract.access import ResponseProcessor
from reml.contract.examples import Item, Media, Span
from reml.contract.retrieved import Queries
from reml.contract.vectors import Int64Array
from reml.testing import ResponseProcessorContract
from reml.text.analysis import Analyser
from tests.access.presenting.lists import asked, found, item, texts

CHAD = "Chad lies in Africa. Its capital is far away. It has a lake, Lake Chad. Cotton is traded."


class Shortest(nn.Module):
    """A scorer of which the shortest text is the best; NaN of a text that says so."""

    module = None

    def score(self, queries: Queries, items: Sequence[Item], positions: Int64Array) -> Tensor:
        scores = torch.tensor([*(-float(len(one.text)) for one in items), -torch.inf])
        scores[[place for place, one in enumerate(items) if "unknown" in one.text]] = torch.nan
        return scores[torch.from_numpy(positions)]


def test_the_best_sentences_are_left_in_their_order_with_their_place_in_the_page() -> None:
    left = Snippet(words=6)(asked("Which lake has Chad?"), found([item(0, CHAD)]))
    assert texts(left) == [["It has a lake, Lake Chad."]]
    (one,) = left.items[0]
    assert one.span == Span(2, 10 + CHAD.index("It has"), 2, 10 + CHAD.index(" Cotton"))
    both = Snippet(words=10)(asked("Which lake has Chad?"), found([item(0, CHAD)]))
    assert texts(both) == [[f"Chad lies in Africa.{GAP}It has a lake, Lake Chad."]]


def test_each_query_has_its_own_and_all_else_stays() -> None:
    given = found([item(0, CHAD)], [item(0, CHAD), item(1, "Short.")])
    left = Snippet(words=4)(asked("africa", "cotton trade"), given)
    assert texts(left) == [["Chad lies in Africa."], ["Cotton is traded.", "Short."]]
    assert left.rows is given.rows
    assert left.scores is given.scores
    assert left.mask is given.mask
    assert left.origins is given.origins
    assert left.names == given.names
    assert not left.as_kept
    assert texts(given)[0] == [CHAD]


def test_what_fits_and_what_has_no_text_stays_as_it_is() -> None:
    items = [item(0, CHAD), Item(1, "", "Oslo", "o"), Item(2, " \n", "", "")]
    given = found(items)
    assert list(Snippet(words=99)(asked("lake"), given).items) == list(given.items)
    assert [one.row for one in Snippet(words=1)(asked("lake"), given).items[0]] == [0, 1, 2]
    assert Snippet(words=1)(asked("lake"), given).items[0][1:] == tuple(items[1:])


def test_a_sentence_that_is_too_long_by_itself_is_cut_behind_its_first_words() -> None:
    (one,) = Snippet(words=3)(asked("lake"), found([item(0, CHAD)])).items[0]
    assert one.text == "It has a"
    assert one.span == Span(2, 10 + CHAD.index("It has"), 2, 10 + CHAD.index(" lake,"))


def test_a_query_that_says_nothing_leaves_the_first_sentences() -> None:
    assert texts(Snippet(words=4)(asked("the"), found([item(0, CHAD)]))) == [["Chad lies in Africa."]]
    state = Queries(np.array([0]), states=torch.zeros(1, 2))
    assert texts(Snippet(words=4)(state, found([item(0, CHAD)]))) == [["Chad lies in Africa."]]
    with pytest.raises(ValueError, match=r"Analyser reads texts, and a query is the image 'a\.png'"):
        Snippet(words=4)(Queries(np.array([0]), (Media("image", "a.png"),)), found([item(0, CHAD)]))


def test_a_scorer_says_which_are_best_and_is_asked_once_of_each_list() -> None:
    given = found([item(0, CHAD), item(1, "One two. No.")], [item(0, CHAD)], [])
    left = Snippet(words=3, scorer=Shortest())(asked("lake", "lake", "lake"), given)
    assert texts(left) == [["Cotton is traded.", "One two. No."], ["Cotton is traded."], []]


def test_a_score_that_is_no_number_names_scorer_and_item() -> None:
    given = found([item(7, "Known. It is unknown.", "Chad")])
    with pytest.raises(
        ValueError, match=r"Shortest gives no number \(NaN\) as the score of the item 7 \('Chad': 'It is"
    ):
        Snippet(words=2, scorer=Shortest())(asked("who"), given)
    with pytest.raises(ValueError, match="item 7"):
        Rerank(Shortest())(asked("who"), given)


@pytest.mark.parametrize("processor", [Snippet(words=3, scorer="short"), Compress(words=3, scorer="short")])
def test_a_scorer_may_be_a_ranker_by_its_name(processor: Snippet | Compress) -> None:
    listed = found([item(0, CHAD)])
    with pytest.raises(ValueError, match="'short' names a ranker, which an experiment has under `rankers`"):
        processor(asked("lake"), listed)
    assert named_rankers([processor]) == ["short"]
    (made,) = with_rankers([processor], {"short": Shortest()})
    assert texts(made(asked("lake"), listed)) == [["Cotton is traded."]]
    (same,) = with_rankers([Snippet(words=3)], {})
    assert texts(same(asked("lake"), listed)) == [["It has a"]]


def test_an_item_that_each_query_is_shown_otherwise_is_reranked_as_it_is_shown() -> None:
    given = found([item(0, "aaaa"), item(1, "bb")], [item(0, "a"), item(1, "bb")])
    assert Rerank(Shortest())(asked("x", "y"), given).rows.tolist() == [[1, 0], [0, 1]]


def test_words_score_as_the_equations_say() -> None:
    """Two sentences, of titles that say nothing: idf ln(1 + (2 - 1 + .5) / (1 + .5)), tf 2 and length 3 of 2."""
    sentences = [Item(0, "lake lake boat"), Item(0, "tree")]
    norm = 0.9 * (1 - 0.4 + 0.4 * 3 / 2)
    expected = np.log(1 + 1.5 / 1.5) * 2 / (2 + norm)
    assert by_words("lakes", sentences, Analyser()) == pytest.approx([expected, 0.0])


@pytest.mark.parametrize("words", [0, -1])
def test_a_budget_of_nothing_is_refused(words: int) -> None:
    with pytest.raises(ValueError, match=rf"Snippet\.words is {words}, but must be 1 or more"):
        Snippet(words=words)


class TestSnippet(ResponseProcessorContract):
    def make(self) -> ResponseProcessor:
        return Snippet(words=5)

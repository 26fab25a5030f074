from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from reml.access.presenting import Compress
from reml.access.presenting.cutting import GAP
from reml.contract.access import ResponseProcessor
from reml.contract.examples import Span
from reml.testing import ResponseProcessorContract
from tests.access.presenting.lists import asked, found, item, texts
from tests.access.presenting.test_snippet import Shortest

CHAD = item(0, "Chad lies in Africa. It has a lake, Lake Chad.", "Chad")
PERU = item(1, "Peru has mountains. There is a lake in them. Potatoes are grown.", "Peru")
OSLO = item(2, "Oslo is cold. It snows.", "Oslo")


@dataclass
class Said:
    """A writer that says what it was told to, by a word of the prompt."""

    answers: dict[str, str]
    prompts: list[str] = field(default_factory=list)

    def write(self, prompts: Sequence[str]) -> list[str]:
        self.prompts += prompts
        return [next((said for word, said in self.answers.items() if word in prompt), "") for prompt in prompts]


def test_the_best_sentences_of_the_whole_list_fill_the_budget_and_the_rest_is_dropped() -> None:
    given = found([OSLO, CHAD, PERU])
    left = Compress(words=13)(asked("lake chad"), given)
    assert texts(left) == [["Chad lies in Africa. It has a lake, Lake Chad."]]
    assert left.rows.tolist() == [[0]]
    both = Compress(words=30)(asked("lake"), given)
    assert texts(both) == [["It has a lake, Lake Chad.", "There is a lake in them."]], "others share no word with it"
    spans = {one.row: one.span for one in both.items[0]}
    assert spans[0] == Span(2, 31, 2, 56)
    assert spans[1] == Span(2, 30, 2, 54)


def test_scores_keep_their_gradient_and_origins_and_lists_their_queries() -> None:
    given = found([OSLO, CHAD], [OSLO], [])
    left = Compress(words=6)(asked("lake", "snows", "lake"), given)
    assert left.rows.tolist() == [[0], [2], [-1]]
    assert left.scores.tolist()[0] == [1.0]
    assert left.origins.tolist() == [[1], [1], [0]]
    assert left.mask.tolist() == [[True], [True], [False]]
    left.scores[0, 0].backward()  # type: ignore[no-untyped-call]
    assert given.scores.grad is not None
    assert given.scores.grad.tolist()[0] == [0.0, 1.0]


def test_sentences_of_an_item_that_are_not_neighbours_are_marked() -> None:
    left = Compress(words=6, scorer=Shortest())(asked("lake"), found([PERU]))
    assert texts(left) == [[f"Peru has mountains.{GAP}Potatoes are grown."]]


def test_if_nothing_fits_the_best_is_cut_and_an_item_without_text_is_dropped() -> None:
    left = Compress(words=4)(asked("lake", "lake"), found([item(5, ""), CHAD], [item(5, "")]))
    assert texts(left) == [["It has a lake,"], []]


def test_a_writer_writes_what_each_item_says_and_drops_those_that_say_nothing() -> None:
    writer = Said({"Chad": " Lake Chad\nis in Chad. ", "Peru": "none.", "Oslo": "It is cold there."})
    given = found([CHAD, PERU, OSLO], [])
    left = Compress(words=7, writer=writer)(asked("Where is a {lake}?", "x"), given)
    assert texts(left) == [["Lake Chad is in Chad.", "It is"], []]
    assert [one.span for one in left.items[0]] == [CHAD.span, OSLO.span], "where it was made of"
    assert writer.prompts[0].startswith("Passage about Chad: Chad lies in Africa.")
    assert "Question: Where is a {lake}?" in writer.prompts[0]
    assert texts(
        Compress(words=5, writer=Said({"Chad": "Lake Chad is in Chad."}))(asked("x"), found([CHAD, OSLO]))
    ) == [["Lake Chad is in Chad."]]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"words": 0}, r"Compress\.words is 0, but must be 1 or more"),
        ({"writer": Said({}), "scorer": Shortest()}, "leave out one"),
        ({"prompt": "Say it."}, r"has places for nothing: it must have \{text\}"),
        ({"prompt": "{text} {page}"}, r"has places for \{page\}, \{text\}"),
        ({"prompt": "{text"}, "cannot be filled in"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Compress(**settings)  # type: ignore[arg-type]


class TestCompress(ResponseProcessorContract):
    def make(self) -> ResponseProcessor:
        return Compress(words=14)


class TestWritten(ResponseProcessorContract):
    def make(self) -> ResponseProcessor:
        return Compress(words=9, writer=Said({"Passage": "So it is said.", "": ""}))

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from reml.access.presenting import Decontextualise, Translate
from reml.contract.access import ResponseProcessor, Writer
from reml.testing import ResponseProcessorContract
from tests.access.presenting.lists import asked, found, item, texts

LAKE, COLD = item(0, "It has a lake.", "Chad"), item(1, "Es ist {kalt}.", "Oslo")


@dataclass
class Shouting:
    """A writer that says the last words of its prompt aloud, and of what has no letter nothing."""

    prompts: list[str] = field(default_factory=list)

    def write(self, prompts: Sequence[str]) -> list[str]:
        self.prompts += prompts
        return [f"  {prompt.rpartition(': ')[2].upper()}\n" if "?" not in prompt else " " for prompt in prompts]


class Mute:
    def write(self, prompts: Sequence[str]) -> list[str]:
        return []


def test_texts_become_what_is_written_and_all_else_stays() -> None:
    writer = Shouting()
    assert isinstance(writer, Writer)
    given = found([LAKE, COLD], [LAKE], [])
    left = Decontextualise(writer, "Of {title}: {text}")(asked("a", "b", "c"), given)
    assert texts(left) == [["IT HAS A LAKE.", "ES IST {KALT}."], ["IT HAS A LAKE."], []]
    assert writer.prompts == ["Of Chad: It has a lake.", "Of Oslo: Es ist {kalt}."], "each text once"
    for items, before in zip(left.items, given.items, strict=True):
        assert [(one.row, one.page_id, one.title, one.span) for one in items] == [
            (one.row, one.page_id, one.title, one.span) for one in before
        ]
    assert left.scores is given.scores
    assert left.rows is given.rows
    assert left.origins is given.origins


def test_the_language_is_named() -> None:
    writer = Shouting()
    Translate(writer, "Dutch")(asked("a"), found([LAKE]))
    assert writer.prompts == ["Translate into Dutch. Write the translation alone.\n\nIt has a lake."]


def test_what_nothing_is_written_of_stays_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        left = Decontextualise(Shouting(), "Of: {text}")(asked("a"), found([LAKE, item(2, "?"), item(3, "")]))
    assert texts(left) == [["IT HAS A LAKE.", "?", ""]]
    assert "Shouting wrote nothing of 1 of 2 texts" in caplog.text


def test_a_writer_that_leaves_prompts_out_is_named() -> None:
    with pytest.raises(ValueError, match="Mute wrote 0 texts for 1 prompts"):
        Decontextualise(Mute())(asked("a"), found([LAKE]))


def test_wrong_prompts_and_languages_are_refused() -> None:
    with pytest.raises(ValueError, match=r"must have \{text\}, and may have \{title\}, \{text\}"):
        Decontextualise(Mute(), "Rewrite {title}.")
    with pytest.raises(ValueError, match="none is named"):
        Translate(Mute(), " ")
    with pytest.raises(ValueError, match=r"Write {{ for a brace"):
        Translate(Mute(), "Dutch", "{text} }")


class TestDecontextualise(ResponseProcessorContract):
    def make(self) -> ResponseProcessor:
        return Decontextualise(Shouting())


class TestTranslate(ResponseProcessorContract):
    def make(self) -> ResponseProcessor:
        return Translate(Shouting(), "Dutch")

"""One text where a value of the contract holds several is refused, whichever value and field it is."""

from __future__ import annotations

import dataclasses
import sys
import typing
from collections.abc import Iterable, Mapping, Sequence
from types import UnionType
from typing import Any

import numpy as np
import pytest
import torch

from reml import contract
from reml.contract import (
    Answer,
    Asked,
    Batch,
    Credit,
    Entries,
    Example,
    FeedbackRecord,
    Item,
    Page,
    Prediction,
    Provenance,
    Queries,
    Responses,
    Trajectory,
)

NONE = np.empty(0, np.int64)
VALUES: dict[str, Any] = {
    type(value).__name__: value
    for value in (
        Page("1", "Peru", ("Peru", "A country.")),
        Item(0),
        Provenance("1"),
        Answer("Lima"),
        Example("q", "?"),
        Queries.of(["a"]),
        Responses.of_scores(torch.zeros(1, 1), torch.ones(1, 1, dtype=torch.bool)),
        Entries(NONE),
        Asked("bm25", ("a",), NONE, NONE),
        Trajectory("q", (), Answer("Lima")),
        Batch(()),
        Credit(),
        Prediction(torch.zeros(0)),
        FeedbackRecord((), np.empty((0, 1), np.int64), np.empty((0, 1), np.float32), "nobody"),
    )
}
NAMED = [getattr(contract, name) for name in contract.__all__]
DATACLASSES: list[Any] = [one for one in NAMED if isinstance(one, type) and dataclasses.is_dataclass(one)]


def fields(kind: type) -> list[tuple[str, str]]:
    """Name each field, and its class, of the contract's values that is of a kind such as `Sequence`."""
    return sorted({(cls.__name__, name) for cls in DATACLASSES for name, hint in hints(cls) if holds(hint, kind)})


def hints(cls: type) -> Iterable[tuple[str, object]]:
    known = {"torch": torch, "Tensor": torch.Tensor, **vars(sys.modules[cls.__module__])}
    return typing.get_type_hints(cls, known).items()


def holds(hint: object, kind: type) -> bool:
    """Tell whether an annotation, or one of its choices, is of a kind."""
    choices = typing.get_args(hint) if typing.get_origin(hint) in {typing.Union, UnionType} else (hint,)
    origins = [typing.get_origin(one) for one in choices]
    return any(isinstance(origin, type) and issubclass(origin, kind) for origin in origins)


SEVERAL, BY_NAME = fields(Sequence), fields(Mapping)


def test_each_field_of_several_is_looked_at() -> None:
    assert {("Page", "paragraphs"), ("Answer", "provenance"), ("Queries", "contents")} < set(SEVERAL)
    assert len(SEVERAL) >= 13
    assert len(BY_NAME) >= 6


@pytest.mark.parametrize("wrong", ["one text", b"bytes", 5])
@pytest.mark.parametrize(("cls", "name"), [one for one in SEVERAL if one != ("Example", "output")])
def test_one_text_is_not_several(cls: str, name: str, wrong: object) -> None:
    said = rf"^{cls}\.{name} is {wrong!r}, one {type(wrong).__name__}, where several are wanted: give a list"
    with pytest.raises(TypeError, match=said):
        dataclasses.replace(VALUES[cls], **{name: wrong})


@pytest.mark.parametrize(("cls", "name"), [one for one in SEVERAL if one != ("Example", "output")])
def test_what_can_be_gone_through_once_is_not_held(cls: str, name: str) -> None:
    with pytest.raises(TypeError, match=rf"^{cls}\.{name} is a list_iterator, which can be gone through once"):
        dataclasses.replace(VALUES[cls], **{name: iter([])})


@pytest.mark.parametrize("wrong", ["one text", ["a", "b"], 5])
@pytest.mark.parametrize(("cls", "name"), BY_NAME)
def test_one_text_is_not_a_mapping(cls: str, name: str, wrong: object) -> None:
    with pytest.raises(TypeError, match=rf"^{cls}\.{name} is .*, where values by name are wanted: give a dict\."):
        dataclasses.replace(VALUES[cls], **{name: wrong})


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("Lima", r"is 'Lima': give answers in a tuple, `\(Answer\('Lima'\),\)`\.$"),
        (["Lima"], r"is \['Lima'\]: give answers in a tuple, `\(Answer\('Lima'\),\)`\.$"),
        (("a", "b"), r"is .*: give answers in a tuple, `\(Answer\('a'\), Answer\('b'\)\)`\.$"),
        (Answer("Lima"), r"is Answer\(.*: give answers in a tuple, `\(Answer\(text\),\)`\.$"),
        (5, r"is 5: give answers in a tuple"),
        (None, r"is None: give answers in a tuple"),
        ([{"answer": "Lima"}], r"is .*: give answers in a tuple, `\(Answer\(text\),\)`\.$"),
        (iter([Answer("Lima")]), r"is .*: give answers in a tuple"),
    ],
)
def test_an_output_is_said_as_answers(output: Any, said: str) -> None:
    with pytest.raises(TypeError, match=f"^the output of example 'q' {said}"):
        Example("q", "?", output)

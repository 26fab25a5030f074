"""Answers that no pattern gives: a reader learns to quote what comes nearest."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from reml.access.responses import gather
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch
from reml.contract.retrieved import Hits
from reml.predictors.late.nearest import nearest
from reml.predictors.late.templates import SPAN, Fit
from reml.predictors.late_reader import LateReader
from reml.testing import MemoryCollection

TEXT = "Ballet is a dance. Ballet came from the Italian Renaissance, in the 15th century. It spread."


@pytest.mark.parametrize(
    ("answer", "longest", "span"),
    [
        ("ballet came from the Italian Renaissance around 1500", 12, "Ballet came from the Italian Renaissance"),
        ("ballet came from the Italian Renaissance around 1500", 3, "Ballet came from"),
        ("Renaissance", 12, ""),
        ("I like to swim on a hot day", 12, ""),
    ],
)
def test_the_span_shares_most_words_with_the_answer(answer: str, longest: int, span: str) -> None:
    (found,) = nearest([answer], [TEXT], longest)
    assert found == ([Fit(SPAN, span)] if span else [])


def test_each_text_has_its_own_and_the_best_of_several_answers_counts() -> None:
    answers = ["it is a kind of dance, I think", "it came from the Renaissance of Italy"]
    first, second, none = nearest(answers, [TEXT, "A kind of dance.", ""], 12)
    assert first == [Fit(SPAN, "came from the Italian Renaissance")]
    assert second == [Fit(SPAN, "kind of dance")]
    assert none == []


def test_a_reader_quotes_what_comes_nearest_to_an_answer_of_free_words(tiny_bert: str) -> None:
    torch.manual_seed(0)
    collection = MemoryCollection(["lima lies by the sea and oslo does not", "water is wet"], ["Peru", "Water"])
    reader = LateReader(tiny_bert, size=32, item_tokens=32, question_tokens=16, template_examples=2)
    examples = [Example(name, "where is it", (Answer(f"well {name} it lies by the sea"),)) for name in ("a", "b", "c")]
    found = gather(collection, Hits(np.array([[1, 0]] * 3), np.zeros((3, 2), np.float32)))
    optimiser = torch.optim.Adam(reader.network.parameters(), lr=1e-2)
    for _ in range(60):
        loss = reader.train().loss(Batch.of(examples, found)).loss.mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    (answer, *_) = reader.eval().generate(Batch.of(examples, found))
    assert answer.text == "lies by the sea"
    assert answer.provenance[0].title == "Peru"

"""The student against loops written from its equations, and what is combined by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from reml.retrievers.rankers.idcm.cascade import Cascade, Selector
from reml.retrievers.rankers.idcm.windows import Form

FORM = Form(window=3, overlap=2, top=2)
D = 4
MUS = [1.0, 0.9, 0.7, 0.5, 0.3, 0.1, -0.1, -0.3, -0.5, -0.7, -0.9]


def selector() -> Selector:
    torch.manual_seed(3)
    made = Selector(D, FORM).double().eval()
    with torch.no_grad():
        made.scales.copy_(torch.rand(11).double() + 0.5)
        made.combine.weight.copy_(torch.randn(1, 11).double())
    return made


def embeddings(*lengths: int, padded: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Rows of random embeddings, of which the first so many are tokens; padding is as loud as they are."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(len(lengths), padded, D, generator=generator, dtype=torch.float64)
    return values, torch.arange(padded) < torch.tensor(lengths)[:, None]


def states(made: Selector, tokens: list[list[float]]) -> list[list[float]]:
    """ReLU of the convolution of each token and the two after it, of unit length."""
    weight, bias = made.context.weight.tolist(), made.context.bias.tolist()  # type: ignore[union-attr]
    found = []
    for place in range(len(tokens)):
        state = list(bias)
        for out in range(D):
            for tap in range(3):
                if place + tap < len(tokens):
                    state[out] += sum(weight[out][d][tap] * tokens[place + tap][d] for d in range(D))
        state = [max(0.0, value) for value in state]
        length = math.sqrt(sum(value**2 for value in state)) or 1.0
        found.append([value / length for value in state])
    return found


def by_loops(made: Selector, query: list[list[float]], item: list[list[float]]) -> list[float]:
    asked, read = states(made, query), states(made, item)
    scores = []
    for window in range(max(1, math.ceil(len(item) / FORM.window))):
        score = made.combine.bias.item()
        inside = range(
            max(0, window * FORM.window - FORM.overlap),
            min(len(item), (window + 1) * FORM.window + FORM.overlap),
        )
        for k, mu in enumerate(MUS):
            for i in range(len(query)):
                cosines = [sum(a * b for a, b in zip(asked[i], read[j], strict=True)) for j in inside]
                matches = sum(math.exp(-((c - mu) ** 2) / (2 * 0.1**2)) for c in cosines)
                score += made.combine.weight[0, k].item() * math.log(max(made.scales[k].item() * matches, 1e-4))
        scores.append(score)
    return scores


def test_scores_are_those_of_the_equations() -> None:
    made = selector()
    (queries, asked), (items, there) = embeddings(2, 4, 1, padded=4), embeddings(10, 3, 1, padded=10, seed=1)
    found = made(queries, asked, items, there)
    for row, (words, tokens) in enumerate(zip((2, 4, 1), (10, 3, 1), strict=True)):
        expected = by_loops(made, queries[row, :words].tolist(), items[row, :tokens].tolist())
        assert found[row, : len(expected)].tolist() == pytest.approx(expected, abs=1e-4)


def test_padding_changes_nothing() -> None:
    made = selector()
    (queries, asked), (items, there) = embeddings(3, 2, padded=9), embeddings(7, 20, padded=20, seed=1)
    together = made(queries, asked, items, there)
    alone = made(queries[:1, :3], asked[:1, :3], items[:1, :7], there[:1, :7])
    torch.testing.assert_close(together[:1, :3], alone)


def test_nothing_asked_or_nothing_there_still_has_a_score() -> None:
    made = selector()
    (queries, asked), (items, there) = embeddings(0, 2, padded=2), embeddings(5, 0, padded=5, seed=1)
    found = made(queries, asked, items, there)
    assert found[0].tolist() == pytest.approx([made.combine.bias.item()] * 2)
    assert found[1, 0].item() == pytest.approx(by_loops(made, queries[1].tolist(), [])[0])


def test_the_best_windows_count_by_their_rank_and_missing_ones_count_nothing() -> None:
    cascade = Cascade(D, FORM)
    with torch.no_grad():
        cascade.weights.copy_(torch.tensor([1.0, 0.5]))
    scores = torch.tensor([[1.0, 4.0, 2.0], [-3.0, -torch.inf, -torch.inf], [0.0, -1.0, -torch.inf]])
    assert cascade.combined(scores).tolist() == [5.0, -3.0, -0.5]
    assert cascade.combined(scores[:, :1]).tolist() == [1.0, -3.0, 0.0]


def test_only_training_teaches() -> None:
    made = selector()
    (queries, asked), (items, there) = embeddings(2, padded=2), embeddings(5, padded=5)
    made(queries, asked, items, there)
    assert not made.taught
    made.train()
    with torch.no_grad():
        made(queries, asked, items, there)
    assert not made.taught
    made(queries, asked, items, there)
    assert made.taught

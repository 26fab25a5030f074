from __future__ import annotations

import pytest
import torch
from torch import Tensor

from reml.predictors.marginal.beam import beams
from tests.predictors.marginal.tables import END, LONGEST, TOKENS, begun, by_token, every_answer, shares, tables

ALL = len(list(every_answer()))
SIZES = [3, 1, 2]


def mixture(made: Tensor, log_shares: Tensor, answer: tuple[int, ...]) -> float:
    """Give log p of an answer by the sum over pairs at each token."""
    steps = torch.stack([by_token(table, answer) for table in made])  # [K, T]
    return float((log_shares[:, None] + steps).logsumexp(0).sum())


def parts(values: Tensor) -> list[Tensor]:
    return list(torch.split(values, SIZES))


@pytest.mark.parametrize("seed", range(5))
def test_a_wide_beam_finds_all_answers_of_each_group_in_order(seed: int) -> None:
    made, prior = tables(6, seed), shares(SIZES, seed)
    found = beams(begun(made), SIZES, prior, width=ALL, longest=LONGEST, end=END)
    for answers, table, share in zip(found, parts(made), parts(prior), strict=True):
        expected = {answer: mixture(table, share, answer) for answer in every_answer()}
        assert [one.tokens for one in answers] == sorted(expected, key=lambda one: -expected[one])
        for one in answers:
            assert one.log_likelihood == pytest.approx(expected[one.tokens])
            assert one.by_member == pytest.approx([float(by_token(own, one.tokens).sum()) for own in table])
        assert sum(mixture(table, share, one.tokens) for one in answers[:1]) == max(expected.values())


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("seed", range(8))
def test_a_narrow_beam_is_that_of_a_plain_loop(seed: int, width: int) -> None:
    made, prior = tables(6, seed), shares(SIZES, seed)
    found = beams(begun(made), SIZES, prior, width=width, longest=LONGEST, end=END)
    for answers, table, share in zip(found, parts(made), parts(prior), strict=True):
        assert [one.tokens for one in answers] == plain_beam(table, share, width)


def plain_beam(table: Tensor, share: Tensor, width: int) -> list[tuple[int, ...]]:
    """Search without stopping early; scores of beginnings are those of all their tokens, anew each time."""

    def score(tokens: tuple[int, ...]) -> float:
        rows = [0, *(token + 1 for token in tokens[:-1])]
        steps = torch.stack(
            [torch.stack([own[row, one] for row, one in zip(rows, tokens, strict=True)]) for own in table]
        )
        return float((share[:, None] + steps).logsumexp(0).sum())

    live: list[tuple[int, ...]] = [()]
    answers: list[tuple[int, ...]] = []
    for length in range(LONGEST + 1):
        allowed = [END] if length == LONGEST else range(0 if length else END + 1, TOKENS)
        ranked = sorted(((*one, token) for one in live for token in allowed), key=lambda one: -score(one))
        first = ranked if length == LONGEST else ranked[:width]
        answers += [one for one in first if one[-1] == END]
        live = [one for one in ranked if one[-1] != END][:width]
    return [one[:-1] for one in sorted(answers, key=lambda one: -score(one))[:width]]


def test_width_one_takes_the_likeliest_token_of_the_mixture_at_each_step() -> None:
    made, prior = tables(3, 13), shares([3], 13)
    tokens: list[int] = []
    rows = torch.zeros(3, dtype=torch.int64)
    while len(tokens) < LONGEST:
        mixed = (prior[:, None] + made[torch.arange(3), rows]).logsumexp(0)
        if tokens and int(mixed.argmax()) == END:
            break
        mixed[END] = -torch.inf
        tokens.append(int(mixed.argmax()))
        rows = torch.full((3,), tokens[-1] + 1)
    ((best,),) = beams(begun(made), [3], prior, width=1, longest=LONGEST, end=END)
    assert best.tokens == tuple(tokens)
    assert len(tokens) == 2, "a seed whose answer ends by itself"


def test_what_is_as_long_as_may_be_must_end() -> None:
    made = torch.full((1, 1 + TOKENS, TOKENS), -20.0)
    made[:, :, 2] = -1e-9
    ((best,),) = beams(begun(made), [1], torch.zeros(1), width=1, longest=5, end=END)
    assert best.tokens == (2, 2, 2, 2, 2)
    assert best.log_likelihood == pytest.approx(-20.0)


def test_an_answer_is_not_empty_however_likely_that_is() -> None:
    made = torch.full((1, 1 + TOKENS, TOKENS), -9.0)
    made[:, :, END] = -1e-3
    made[:, 0, 3] = -8.0
    for width in (1, 5):
        ((best, *_),) = beams(begun(made), [1], torch.zeros(1), width=width, longest=3, end=END)
        assert best.tokens == (3,)


def test_the_mixture_is_not_the_answer_of_either_item() -> None:
    """Two items agree on no first token but both half on the third: the mixture begins with that one."""
    made = torch.full((2, 1 + TOKENS, TOKENS), -30.0, dtype=torch.float64)
    made[0, 0, [1, 3]] = torch.tensor([0.6, 0.4], dtype=torch.float64).log()
    made[1, 0, [2, 3]] = torch.tensor([0.6, 0.4], dtype=torch.float64).log()
    made[:, 1:, END] = 0.0
    even = torch.full((2,), 0.5, dtype=torch.float64).log()
    ((together,),) = beams(begun(made), [2], even, width=1, longest=2, end=END)
    alone = beams(begun(made), [1, 1], torch.zeros(2, dtype=torch.float64), width=1, longest=2, end=END)
    assert together.tokens == (3,)
    assert [best.tokens for (best,) in alone] == [(1,), (2,)]

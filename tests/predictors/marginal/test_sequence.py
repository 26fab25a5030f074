from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from reml.predictors.marginal.beam import Hypothesis, beams
from reml.predictors.marginal.sequence import union
from tests.predictors.marginal.tables import END, LONGEST, begun, by_token, every_answer, shares, tables

ALL = len(list(every_answer()))
SIZES = [3, 1, 2]
STARTS = [0, 3, 4]


def searched(made: Tensor, width: int) -> list[list[Hypothesis]]:
    return beams(begun(made), [1] * len(made), torch.zeros(len(made)).double(), width=width, longest=LONGEST, end=END)


def thoroughly(made: Tensor, prior: Tensor, width: int) -> list[list[Hypothesis]]:
    def rescored(rows: list[int], answers: list[tuple[int, ...]]) -> list[float]:
        return [float(by_token(made[row], answer).sum()) for row, answer in zip(rows, answers, strict=True)]

    return union(searched(made, width), SIZES, prior, rescored)


def marginal(made: Tensor, prior: Tensor, group: int, answer: tuple[int, ...]) -> float:
    places = range(STARTS[group], STARTS[group] + SIZES[group])
    return math.log(sum(math.exp(float(prior[place] + by_token(made[place], answer).sum())) for place in places))


@pytest.mark.parametrize("seed", range(5))
def test_thorough_decoding_with_wide_beams_is_full_enumeration(seed: int) -> None:
    made, prior = tables(6, seed), shares(SIZES, seed)
    for group, answers in enumerate(thoroughly(made, prior, ALL)):
        expected = {answer: marginal(made, prior, group, answer) for answer in every_answer()}
        assert [one.tokens for one in answers] == sorted(expected, key=lambda one: -expected[one])
        assert [one.log_likelihood for one in answers] == pytest.approx(sorted(expected.values(), reverse=True))


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("seed", range(5))
def test_thorough_decoding_gives_each_answer_of_any_beam_its_whole_marginal(seed: int, width: int) -> None:
    made, prior = tables(6, seed), shares(SIZES, seed)
    found = searched(made, width)
    for group, answers in enumerate(thoroughly(made, prior, width)):
        places = range(STARTS[group], STARTS[group] + SIZES[group])
        assert {one.tokens for one in answers} == {one.tokens for place in places for one in found[place]}
        for one in answers:
            assert one.log_likelihood == pytest.approx(marginal(made, prior, group, one.tokens))
        assert answers == sorted(answers, key=lambda one: -one.log_likelihood)


@pytest.mark.parametrize("seed", range(5))
def test_fast_decoding_is_its_definition_by_a_plain_loop(seed: int) -> None:
    made, prior = tables(6, seed), shares(SIZES, seed)
    found = searched(made, 2)
    for group, answers in enumerate(union(found, SIZES, prior)):
        expected: dict[tuple[int, ...], float] = {}
        for place in range(STARTS[group], STARTS[group] + SIZES[group]):
            for one in found[place]:
                likelihood = math.exp(float(prior[place] + by_token(made[place], one.tokens).sum()))
                expected[one.tokens] = expected.get(one.tokens, 0.0) + likelihood
        assert [one.tokens for one in answers] == sorted(expected, key=lambda one: -expected[one])
        assert [math.exp(one.log_likelihood) for one in answers] == pytest.approx(sorted(expected.values())[::-1])


def test_fast_and_thorough_can_disagree() -> None:
    """Each beam of one finds another answer; the one that is second everywhere is best only if it is found at all."""
    found = [
        [Hypothesis((1,), math.log(0.5), (math.log(0.5),)), Hypothesis((2,), math.log(0.4), (math.log(0.4),))],
        [Hypothesis((3,), math.log(0.45), (math.log(0.45),))],
    ]
    even = torch.full((2,), 0.5).log()
    told: dict[tuple[int, tuple[int, ...]], float] = {(0, (3,)): 0.0, (1, (1,)): 0.05, (1, (2,)): 0.3}

    def rescored(rows: list[int], answers: list[tuple[int, ...]]) -> list[float]:
        return [math.log(max(told[key], 1e-30)) for key in zip(rows, answers, strict=True)]

    assert union(found, [2], even)[0][0].tokens == (1,)
    (thorough,) = union(found, [2], even, rescored)
    assert thorough[0].tokens == (2,)
    assert thorough[0].log_likelihood == pytest.approx(math.log(0.5 * 0.4 + 0.5 * 0.3), abs=1e-6)

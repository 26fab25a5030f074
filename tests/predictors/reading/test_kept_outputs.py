from __future__ import annotations

import itertools

import torch

from reml.contract.examples import Example
from reml.predictors.reading.kept_outputs import KeptOutputs, Outputs
from reml.predictors.reading.sampling import Output

EXAMPLES = [Example("a", "?"), Example("b", "?")]
RIGHT = [Output("right", (0,), ((0,),)), Output("right", (), ((0,),))]


class _Draws:
    """Draws outputs of ever new tokens, those of the second example the right one each second time."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.count = 0

    def __call__(self) -> list[Output]:
        self.count += 1
        number = next(self.numbers)
        return [Output(f"a{number}", (1,), ((number,),)), Output("b", (), ((number % 2,),))]


def test_the_right_output_comes_first_and_others_are_distinct() -> None:
    kept, draw = KeptOutputs(Outputs(draws=4, take=3, renew=2)), _Draws()
    torch.manual_seed(0)
    rounds = kept.rounds(EXAMPLES, RIGHT, draw)
    assert draw.count == 4
    assert len(rounds) == 4
    assert rounds[0] == RIGHT
    assert len({outputs[0].text for outputs in rounds}) == 4
    assert [outputs[1].tokens for outputs in rounds] == [((0,),), ((1,),), ((0,),), ((0,),)]


def test_outputs_are_kept_for_so_many_steps_and_taken_in_random_order() -> None:
    kept, draw = KeptOutputs(Outputs(draws=6, take=2, renew=3)), _Draws()
    seen = []
    for step in range(6):
        kept.steps = step
        seen.append({outputs[0].text for outputs in kept.rounds(EXAMPLES, RIGHT, draw)[1:]})
    assert draw.count == 12
    assert set().union(*seen[:3]) <= {f"a{number}" for number in range(1, 7)}
    assert set().union(*seen[3:]) <= {f"a{number}" for number in range(7, 13)}
    assert len({frozenset(taken) for taken in seen}) > 2


def test_a_state_goes_on_with_what_was_kept() -> None:
    kept, draw = KeptOutputs(Outputs(draws=4, take=2, renew=3)), _Draws()
    kept.steps = 4
    kept.rounds(EXAMPLES, RIGHT, draw)
    other = KeptOutputs(kept.settings)
    other.load_state_dict(kept.state_dict())
    found = []
    for one in (kept, other):
        torch.manual_seed(3)
        found.append(one.rounds(EXAMPLES, RIGHT, draw))
    assert draw.count == 4
    assert found[0] == found[1]
    assert other.steps == 4


def test_two_tasks_may_call_an_example_the_same() -> None:
    kept = KeptOutputs(Outputs(draws=1, take=1, renew=9))
    for text in ("first", "second"):
        own = Output(text, (), ((len(text),),))
        rounds = kept.rounds([Example("1", text)], RIGHT[:1], lambda own=own: [own])  # type: ignore[misc]
        assert rounds[1] == [own]

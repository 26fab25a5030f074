"""Outputs that are kept for some steps, and taken by turns: what an expected utility is summed over."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.examples import Example
from reml.files.atomic import digest
from reml.predictors.reading.sampling import Output


@checked("outputs")
@dataclass(frozen=True)
class Outputs:
    """How outputs are drawn. renew: every so many steps, with `draws` draws; take: so many of them at each step."""

    draws: Count = 8
    take: Count = 4
    renew: Count = 20


class KeptOutputs(nn.Module):
    """The outputs of each example: distinct, drawn anew when it is first read in each stretch of `renew` steps.

    They and the number of steps are part of the module's state, so that a training that was killed goes on with them.
    """

    def __init__(self, settings: Outputs) -> None:
        super().__init__()
        self.settings = settings
        self.steps = 0
        self._kept: dict[str, tuple[int, tuple[Output, ...]]] = {}  # by digest: two tasks may have one id

    def rounds(
        self, examples: Sequence[Example], right: Sequence[Output], draw: Callable[[], Sequence[Output]]
    ) -> list[list[Output]]:
        """Give the right output of each example and `take` others in random order, as rounds over the examples.

        An example with fewer repeats its right one.
        """
        stretch = self.steps // self.settings.renew
        if any(self._stretch(example) != stretch for example in examples):
            self._renew(stretch, examples, right, [draw() for _ in range(self.settings.draws)])
        taken = [self._taken(example, output) for example, output in zip(examples, right, strict=True)]
        return [list(outputs) for outputs in zip(*taken, strict=True)]

    def _stretch(self, example: Example) -> int:
        return self._kept.get(_key(example), (-1, ()))[0]

    def _renew(
        self,
        stretch: int,
        examples: Sequence[Example],
        right: Sequence[Output],
        rounds: Sequence[Sequence[Output]],
    ) -> None:
        for example, own, drawn in zip(examples, right, zip(*rounds, strict=True), strict=True):
            if self._stretch(example) != stretch:
                distinct = {output.tokens: output for output in drawn if output.tokens != own.tokens}
                self._kept[_key(example)] = (stretch, tuple(distinct.values()))

    def _taken(self, example: Example, right: Output) -> list[Output]:
        kept = self._kept[_key(example)][1]
        order = torch.randperm(len(kept)).tolist()[: self.settings.take]
        return [right, *(kept[place] for place in order), *[right] * (self.settings.take - len(order))]

    def get_extra_state(self) -> Tensor:
        """Give steps and outputs as the bytes of a text, for files that hold tensors alone."""
        kept = {
            name: [stretch, [[one.text, one.first, one.tokens] for one in outputs]]
            for name, (stretch, outputs) in self._kept.items()
        }
        return torch.tensor(list(json.dumps([self.steps, kept]).encode()), dtype=torch.uint8)

    def set_extra_state(self, state: Tensor) -> None:
        """Take up what `get_extra_state` gave."""
        self.steps, kept = json.loads(bytes(state.tolist()))
        self._kept = {
            name: (
                stretch,
                tuple(Output(text, tuple(first), tuple(map(tuple, tokens))) for text, first, tokens in outputs),
            )
            for name, (stretch, outputs) in kept.items()
        }


def _key(example: Example) -> str:
    return digest(example.id, example.input)

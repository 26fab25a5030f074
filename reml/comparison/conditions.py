"""Ways to train a retriever, each an access model of an experiment, and the controls that each is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Control = Literal["untrained", "shuffled"]
FROZEN = "frozen"


@dataclass(frozen=True)
class Condition:
    """One way to train one retriever. objective: `frozen` for no training. control: empty for the objective itself."""

    learner: str
    objective: str = FROZEN
    control: Control | Literal[""] = ""

    @property
    def access(self) -> str:
        """The name of its access model."""
        parts = [self.learner, *([self.objective] if self.objective != FROZEN else []), self.control]
        return "_".join(part for part in parts if part)

    @property
    def title(self) -> str:
        """What it is called beside others of the same learner."""
        return f"{self.objective}, {self.control}" if self.control else self.objective

    @property
    def learns(self) -> bool:
        """Whether it is an objective or a reference, and no control."""
        return self.objective != FROZEN and not self.control


def controls(conditions: Sequence[Condition], condition: Condition) -> list[Condition]:
    """List what a condition is compared with: the frozen retriever, and its own controls."""
    own = [one for one in conditions if one.learner == condition.learner and one.objective == condition.objective]
    return [Condition(condition.learner), *(one for one in own if one.control)]

"""The name of its task in front of an input, so that one predictor of several tasks can tell them apart.

Only the predictor sees it: queries are made of, and passages judged by, the input itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reml.contract.examples import Example


def with_task(task: str, examples: Sequence[Example]) -> tuple[Example, ...]:
    """Put `task: ` in front of every input."""
    return tuple(replace(example, input=f"{task}: {example.input}") for example in examples)


def without_task(task: str, examples: Sequence[Example]) -> tuple[Example, ...]:
    """Take it away again."""
    return tuple(replace(example, input=example.input.removeprefix(f"{task}: ")) for example in examples)

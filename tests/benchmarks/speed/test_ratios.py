from __future__ import annotations

import dataclasses

from reml.benchmarks.speed.ratios import baseline_of, ratios
from tests.benchmarks.speed.small_result import comparison


def test_the_baseline_is_the_first_preferred_one_that_has_figures() -> None:
    given = comparison(1_000)
    named = [baseline_of(given, preferred) for preferred in (("gone", "slow"), ("slow", "fast"), ())]
    assert [one.engine for one in named if one] == ["slow", "slow", "fast"]
    assert baseline_of(dataclasses.replace(given, engines=()), ("slow",)) is None


def test_ratios_say_how_many_times_as_fast() -> None:
    fast, slow = comparison(1_000).engines
    for answer in fast.serving.answers:
        beside = ratios(answer, slow)
        assert (beside.single, beside.batch, beside.batch_all) == (4, 4, 4)
    assert ratios(slow.serving.answers[0], fast).single == 0.25

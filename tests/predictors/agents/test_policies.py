"""A model here goes on as transformers does, token for token, and ends at its stops."""

from __future__ import annotations

import pytest
import torch

from reml.predictors.agents.policies import LocalPolicy
from reml.predictors.agents.transcript import Segment

QUESTIONS = ("What is it?", "And a longer one, to be padded beside?")


@pytest.fixture
def policy(tiny_llama: str) -> LocalPolicy:
    return LocalPolicy(tiny_llama).eval()


def test_it_takes_the_likeliest_token_as_transformers_does(policy: LocalPolicy) -> None:
    transcripts = [[policy.given(text)] for text in QUESTIONS]
    said = policy.go_on(transcripts, ("never",), 8)
    for (segment,), (written, own) in zip(transcripts, said, strict=True):
        ids = torch.tensor([segment.ids])
        alone = policy.model.generate(ids, max_new_tokens=8, do_sample=False)  # type: ignore[operator]
        assert own.ids == tuple(alone[0, ids.shape[1] :].tolist())
        assert own.own
        assert (written.text, written.stop, written.whole) == (own.text, "", False)
        assert (written.read, written.wrote) == (len(segment.ids), 8)


def test_segments_are_read_as_they_are(policy: LocalPolicy) -> None:
    parts = [policy.given("What "), Segment("is", own=True, ids=policy.given("is").ids), policy.given(" it?")]
    whole = Segment("".join(part.text for part in parts), ids=tuple(token for part in parts for token in part.ids))
    assert policy.go_on([parts], (), 5)[0][1].ids == policy.go_on([[whole]], (), 5)[0][1].ids


def test_it_ends_at_the_first_stop_and_at_its_own_end(policy: LocalPolicy) -> None:
    given = [[policy.given(QUESTIONS[0])]]
    ((_, free),) = policy.go_on(given, (), 8)
    text = free.text
    stop = next(letter for letter in text[1:] if letter.isascii() and letter not in text[:1])
    ((written, segment),) = policy.go_on(given, (stop, "never"), 8)
    assert (written.text, written.stop, written.whole) == (text.partition(stop)[0], stop, True)
    assert segment.ids == free.ids[: len(segment.ids)]
    assert segment.text == written.text + stop
    assert policy.model.generation_config is not None
    policy._ends = {free.ids[2]}
    ((ended, _),) = policy.go_on(given, (), 8)
    assert (ended.stop, ended.whole, ended.wrote) == ("", True, free.ids.index(free.ids[2]) + 1)


def test_it_draws_by_the_seed_only_where_it_is_to(policy: LocalPolicy) -> None:
    given = [[policy.given(QUESTIONS[0])]]
    drawn = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        with policy.drawing():
            drawn.append(policy.go_on(given, (), 12)[0][1].ids)
    assert drawn[0] == drawn[1] != drawn[2]
    greedy = [policy.go_on(given, (), 12)[0][1].ids for _ in range(2)]
    assert greedy[0] == greedy[1] != drawn[0]

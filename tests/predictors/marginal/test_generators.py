"""Both generators against transformers without a cache: one pair, one context at a time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from reml.access.responses import empty, gather
from reml.contract.examples import Answer, Example
from reml.contract.retrieved import Hits
from reml.predictors.marginal.causal import Causal
from reml.predictors.marginal.encoder_decoder import EncoderDecoder
from reml.predictors.marginal.generator import Generator
from reml.predictors.reading.encoder_decoders import padded_targets
from reml.testing import MemoryCollection

MAKE: dict[str, Callable[[str], Generator]] = {
    "tiny_llama": lambda folder: Causal(folder, input_tokens=400, answer_tokens=12).eval(),
    "tiny_t5": lambda folder: EncoderDecoder(folder, input_tokens=64, answer_tokens=12).eval(),
    "tiny_bart": lambda folder: EncoderDecoder(folder, input_tokens=64, answer_tokens=12).eval(),
}


@pytest.fixture(params=sorted(MAKE))
def generator(request: pytest.FixtureRequest) -> Generator:
    return MAKE[request.param](request.getfixturevalue(request.param))


ANSWERS = [[30, 31, 32], [33], [34, 35], []]


@torch.no_grad()
def whole(generator: Generator, row: int, pairs: object, answer: list[int]) -> Tensor:
    """Give log p of each token of an answer and of its end, by one pass without a cache."""
    if isinstance(generator, Causal):
        prompt = pairs.ids[row][pairs.mask[row].bool()]  # type: ignore[attr-defined]
        ids = torch.cat([prompt, torch.tensor([*answer, generator.end])])[None]
        said = torch.log_softmax(generator.model(input_ids=ids).logits[0, len(prompt) - 1 : -1].double(), dim=1)
        ends = [token for token in range(said.shape[1]) if "\n" in generator.tokeniser.decode([token])]
        ends.append(int(generator.tokeniser.eos_token_id))
        last = said[-1, ends].logsumexp(0)
        return torch.stack([*(said[place, token] for place, token in enumerate(answer)), last])
    assert isinstance(generator, EncoderDecoder)
    labels = torch.tensor([[*answer, generator.end]])
    there = pairs.mask[row].bool()  # type: ignore[attr-defined]
    states = pairs.states[row][there][None]  # type: ignore[attr-defined]
    output = generator.model(encoder_outputs=(states,), attention_mask=there[there][None].long(), labels=labels)
    return torch.log_softmax(output.logits[0].double(), dim=1).gather(1, labels[0][:, None]).squeeze(1)


def test_likelihoods_and_steps_are_those_without_cache_and_padding(
    generator: Generator, examples: list[Example], collection: MemoryCollection, hits: Hits
) -> None:
    pairs = generator.read(examples, gather(collection, hits))
    rows = torch.tensor([5, 0, 3, 0])
    targets = padded_targets([[*answer, generator.end] for answer in ANSWERS])
    with torch.no_grad():
        said = pairs.log_likelihood(rows, targets)
    assert pairs.places.owners.tolist() == [0, 0, 0, 1, 1, 2]
    for row, answer, found in zip(rows.tolist(), ANSWERS, said, strict=True):
        expected = whole(generator, row, pairs, answer)
        torch.testing.assert_close(found[: len(expected)].double(), expected, rtol=1e-4, atol=1e-4)
        assert not found[len(expected) :].any()
        torch.testing.assert_close(stepped(generator, pairs, row, answer), expected, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def stepped(generator: Generator, pairs: object, row: int, answer: list[int]) -> Tensor:
    """Go on token by token, the row among others and in twice, in another order each time."""
    prefixes, at, said = pairs.begin(), row, []  # type: ignore[attr-defined]
    for token in answer:
        said.append(prefixes.log_next[at, token].double())
        other = (at + 1) % len(prefixes.log_next)
        kept = prefixes.log_next.clone()
        further = prefixes.after(torch.tensor([other, at, at]), torch.tensor([40, 41, token]))
        assert torch.equal(prefixes.log_next, kept)
        prefixes, at = further, 2
    return torch.stack([*said, prefixes.log_next[at, generator.end].double()])


def test_a_step_leaves_the_former_beginnings_as_they_were(
    generator: Generator, examples: list[Example], collection: MemoryCollection, hits: Hits
) -> None:
    """Two continuations of the same beginnings do not touch each other's cache."""
    with torch.no_grad():
        begun = generator.read(examples, gather(collection, hits)).begin()
        rows, tokens = torch.arange(6), torch.full((6,), 30)
        first = begun.after(rows, tokens).log_next
        begun.after(rows.flip(0), tokens + 1).after(rows, tokens)
        torch.testing.assert_close(begun.after(rows, tokens).log_next, first, rtol=0, atol=0)


def test_next_tokens_are_a_distribution(generator: Generator, examples: list[Example]) -> None:
    with torch.no_grad():
        begun = generator.read(examples, empty(3)).begin()
    assert begun.log_next.exp().sum(1).tolist() == pytest.approx([1.0] * 3, abs=1e-4)


def test_targets_are_cut_before_their_end(tiny_llama: str, tiny_t5: str) -> None:
    long = [Example("a", "what", (Answer("abcdefgh\nij"),))]
    llama, t5 = Causal(tiny_llama, answer_tokens=4), EncoderDecoder(tiny_t5, answer_tokens=4)
    for generator in (llama, t5):
        ((*tokens, end),) = generator.targets(long)
        assert len(tokens) == 4
        assert end == generator.end
    wide = Causal(tiny_llama, answer_tokens=40)
    ((*tokens, end),) = wide.targets(long)
    assert (wide.text(tokens), end) == ("abcdefgh", wide.end)

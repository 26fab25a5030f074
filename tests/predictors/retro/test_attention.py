"""Chunked cross-attention is that of the paper's equations, computed token by token."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from reml.predictors.retro.attention import ChunkedCrossAttention, DistanceAttention
from reml.predictors.retro.neighbour_encoder import NeighbourEncoder

M, R, D, E, HEADS = 4, 8, 12, 6, 3


def made() -> ChunkedCrossAttention:
    torch.manual_seed(0)
    cross = ChunkedCrossAttention(D, E, heads=HEADS, chunk=M, length=R).double()
    for parameter in cross.parameters():
        torch.nn.init.normal_(parameter)
    return cross


def one_token(cross: ChunkedCrossAttention, state: Tensor, place: int, read: list[tuple[Tensor, int]]) -> Tensor:
    """CA(h, Y) of one state [D] at a place of its chunk; read: states [E] of neighbours' tokens, and their places."""
    part = cross.attention
    normed = state / (state.square().mean() + 1e-6).sqrt() * cross.norm.weight
    width, out = D // HEADS, []
    for head in range(HEADS):
        rows = slice(head * width, (head + 1) * width)
        query = part.query.weight[rows] @ normed
        logits = [
            query @ (part.key.weight[rows] @ key) / math.sqrt(width) + part.distance[head, place - at + R - 1]
            for key, at in read
        ]
        shares = torch.softmax(torch.stack(logits), dim=0)
        out.append(sum(share * (part.value.weight[rows] @ key) for share, (key, _) in zip(shares, read, strict=True)))
    return state + part.out.weight @ torch.cat(out)


def by_loop(cross: ChunkedCrossAttention, states: Tensor, encoded: Tensor, there: Tensor) -> Tensor:
    """The equations for one text: states [n, D], neighbours [U, K, r, E] of chunks 1, 2, ..., there [U, K, r]."""
    result = states.clone()
    for place in range(len(states)):
        chunk = (place + 1) // M  # the chunk before, counted from 1
        if chunk == 0:
            continue
        read = [
            (encoded[chunk - 1, neighbour, at], at)
            for neighbour in range(encoded.shape[1])
            for at in range(R)
            if there[chunk - 1, neighbour, at]
        ]
        if read:
            result[place] = one_token(cross, states[place], (place + 1) % M, read)
    return result


@pytest.mark.parametrize("count", [3, 4, 8, 11, 15])
@torch.no_grad()
def test_it_is_the_equations_token_by_token(count: int) -> None:
    cross = made()
    whole = count // M
    states = torch.randn(2, count, D, dtype=torch.float64)
    encoded = torch.randn(2, whole, 2, R, E, dtype=torch.float64)
    there = torch.rand(2, whole, 2, R) < 0.7
    there[1, 1:] = False  # of one text only the first chunk has neighbours
    shift = (0, 0) * 3 + (1, 0)  # chunk 0, which has none
    given = torch.nn.functional.pad(encoded, shift), torch.nn.functional.pad(there, shift[2:])
    first = 1 // M
    attended = cross(states, given[0][:, first:], given[1][:, first:])
    for text in range(2):
        torch.testing.assert_close(attended[text], by_loop(cross, states[text], encoded[text], there[text]))
    assert torch.equal(attended[:, : M - 1], states[:, : M - 1]), "the first chunk is told nothing"
    if whole:
        assert not torch.equal(attended[0, M - 1], states[0, M - 1])
    for start in range(1, count):  # read on from any place
        low = (start + 1) // M
        rest = cross(states[:, start:], given[0][:, low:], given[1][:, low:], start)
        torch.testing.assert_close(rest, attended[:, start:])


@torch.no_grad()
def test_it_begins_as_the_identity() -> None:
    cross = ChunkedCrossAttention(D, E, heads=HEADS, chunk=M, length=R)
    states = torch.randn(1, 9, D)
    assert torch.equal(cross(states, torch.randn(1, 3, 2, R, E), torch.ones(1, 3, 2, R, dtype=torch.bool)), states)


def test_heads_that_do_not_divide_are_refused() -> None:
    with pytest.raises(ValueError, match="5 heads do not divide 12 dimensions"):
        DistanceAttention(D, E, heads=5, queries=M, keys=R)


@torch.no_grad()
def test_a_neighbour_is_encoded_with_its_chunk_in_view_and_without_other_neighbours() -> None:
    torch.manual_seed(0)
    encoder = NeighbourEncoder(D, E, heads=2, depth=2, chunk=M, length=R)
    there = torch.ones(1, 2, 2, R, dtype=torch.bool)
    there[0, 0, 1, 5:], there[0, 1, 1] = False, False
    embeddings, chunks = torch.randn(3, R, D), torch.randn(1, 2, M, D)
    encoded = encoder(embeddings, there, chunks)
    assert encoded.shape == (1, 2, 2, R, E)
    assert not encoded[0, 1, 1].any()
    changed = encoder(embeddings, there, torch.cat([chunks[:, :1], chunks[:, 1:] + 1], dim=1))
    assert torch.equal(changed[0, 0], encoded[0, 0])
    assert (changed[0, 1, 0] - encoded[0, 1, 0]).abs().min() > 0
    other = embeddings.clone()
    other[1, 5:] += 1  # behind the end of the second neighbour
    other[2] += 1  # a neighbour of the other chunk
    again = encoder(other, there, chunks)
    torch.testing.assert_close(again[0, 0][there[0, 0]], encoded[0, 0][there[0, 0]])
    both_ways = embeddings.clone()
    both_ways[0, -1] += 1
    assert (encoder(both_ways, there, chunks)[0, 0, 0, 0] - encoded[0, 0, 0, 0]).abs().max() > 1e-4

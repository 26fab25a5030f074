"""Attention and layers against loops written from the equations."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from reml.retrievers.rankers.conformer_kernel.conformer import ConformerLayer, SeparableAttention, separable_attention


def softmax(values: Sequence[float]) -> list[float]:
    powers = [math.exp(value - max(values)) for value in values]
    return [power / sum(powers) for power in powers]


def attended(keys: Sequence[Sequence[float]], values: Sequence[Sequence[float]]) -> list[list[float]]:
    """One head: softmax over D (Q / sqrt(D)) . (softmax over L (K^T) . V), Q = K."""
    length, width = len(keys), len(keys[0])
    among = [softmax([keys[word][one] for word in range(length)]) for one in range(width)]
    summary = [
        [sum(among[one][word] * values[word][other] for word in range(length)) for other in range(width)]
        for one in range(width)
    ]
    rows = []
    for word in range(length):
        read = softmax([number / math.sqrt(width) for number in keys[word]])
        rows.append([sum(read[one] * summary[one][other] for one in range(width)) for other in range(width)])
    return rows


def test_separable_attention_is_that_of_the_loops_and_padding_has_no_part() -> None:
    torch.manual_seed(0)
    keys, values = torch.randn(2, 3, 5, 4), torch.randn(2, 3, 5, 4)
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    found = separable_attention(keys, values, mask)
    for text, length in enumerate((5, 2)):
        for head in range(3):
            expected = attended(keys[text, head, :length].tolist(), values[text, head, :length].tolist())
            torch.testing.assert_close(found[text, head, :length], torch.tensor(expected))


def test_a_text_without_words_attends_to_nothing() -> None:
    mask = torch.zeros(1, 3, dtype=torch.bool)
    assert separable_attention(torch.randn(1, 2, 3, 4), torch.randn(1, 2, 3, 4), mask).abs().max() == 0


def test_heads_share_keys_and_queries_and_see_their_own_share() -> None:
    torch.manual_seed(0)
    attention, states = SeparableAttention(6, 2, 0.0), torch.randn(1, 4, 6)
    both = attention.keys_and_values(states)[0]
    heads = [
        attended(both[:, 3 * head : 3 * head + 3].tolist(), both[:, 6 + 3 * head : 9 + 3 * head].tolist())
        for head in range(2)
    ]
    expected = attention.output(torch.cat([torch.tensor(head) for head in heads], dim=1))
    torch.testing.assert_close(attention(states, torch.ones(1, 4, dtype=torch.bool))[0], expected)


def test_dropout_is_of_both_softmaxes_and_in_training_alone() -> None:
    torch.manual_seed(0)
    attention, states, mask = SeparableAttention(6, 2, 0.5), torch.randn(1, 4, 6), torch.ones(1, 4, dtype=torch.bool)
    assert not torch.equal(attention(states, mask), attention(states, mask))
    attention.eval()
    assert torch.equal(attention(states, mask), attention(states, mask))


def convolved(states: Tensor, convolution: nn.Conv1d) -> Tensor:
    """Add up over the window, and over the inputs of a group, weight times input, beside the bias."""
    length, width = states.shape
    window, share = convolution.kernel_size[0], width // convolution.groups
    rows = torch.zeros(length, width)
    for word in range(length):
        for output in range(width):
            assert convolution.bias is not None
            total = convolution.bias[output].item()
            for tap in range(window):
                near = word + tap - window // 2
                for one in range(share if 0 <= near < length else 0):
                    weight = convolution.weight[output, one, tap].item()
                    total += weight * states[near, output // share * share + one].item()
            rows[word, output] = total
    return rows


def normed(rows: Tensor) -> Tensor:
    centred = rows - rows.mean(dim=1, keepdim=True)
    return centred / (centred.square().mean(dim=1, keepdim=True) + 1e-5).sqrt()


def test_a_layer_convolves_attends_and_feeds_forward() -> None:
    torch.manual_seed(0)
    layer, states = ConformerLayer(6, 2, 3, 0.2).eval(), torch.randn(4, 6)
    near = convolved(states, layer.convolution)
    attention = layer.attention(near[None], torch.ones(1, 4, dtype=torch.bool))[0]
    after = normed(states + attention)
    inner = after @ layer.forth.weight.T + layer.forth.bias
    expected = normed(after + inner.clamp(min=0) @ layer.back.weight.T + layer.back.bias)
    mask = torch.arange(7)[None] < 4
    padded = torch.cat([states, torch.randn(3, 6)])[None]
    torch.testing.assert_close(layer(padded, mask)[0, :4], expected, atol=1e-5, rtol=1e-4)

"""A small decoder that reads encoder states and may copy their tokens (See et al., "Get To The Point", ACL 2017).

Token y is generated, or copied from the source: p(y) = (1 - g) p_generate(y) + g * (sum of a_i over the source tokens
i that are y), with pointer weights a and gate g of the decoder's state. Beside the content of the states,
cross-attention and pointer see where the answer so far could be standing in the source (`_follows`). Otherwise a
decoder has to find out first, at the cost of most of a short training, that copying goes on where it stopped (compare
the selective read of CopyNet, Gu et al., ACL 2016).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

KeysValues = tuple[Tensor, Tensor]
# From the probabilities of all tokens [B, V] to one of each, int64 [B].
Choice = Callable[[Tensor], Tensor]
FEATURES = 4
# Finite, so that a row without any candidate has a finite gradient.
NEVER = -1e9


@dataclass(frozen=True, eq=False, slots=True)
class Memory:
    """What the decoder reads: keys and values of each layer, keys of the pointer, computed once for all steps.

    S = K*L source tokens. ids: int64 [B, S]. mask: bool [B, S], what may be attended to; copyable: bool [B, S].
    sources: keys and values for each layer, [B, H, S, D/H]. pointer: [B, S, D].
    """

    ids: Tensor
    mask: Tensor
    copyable: Tensor
    sources: tuple[KeysValues, ...]
    pointer: Tensor


@dataclass(frozen=True, eq=False, slots=True)
class Decoded:
    """What the decoder says at each of T steps.

    states: [B, T, D]. pointer: logits of the source tokens [B, T, S], `NEVER` where not copyable. gate: logits of
    copying [B, T]. mass: value-norm weighted cross-attention [B, T, S], mean over heads and layers, without gradient.
    past: keys and values of each layer's self-attention up to here, from which decoding can go on.
    """

    states: Tensor
    pointer: Tensor
    gate: Tensor
    mass: Tensor
    past: tuple[KeysValues, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """One decoded token: ids [B]; how much of it each source token gave, [B, S]; whether copying outweighed, [B]."""

    ids: Tensor
    copied: Tensor
    is_copied: Tensor


class Attention(nn.Module):
    """Multi-head attention with a bias for each head; `keys_values` and the call are apart so that keys are cached."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def keys_values(self, states: Tensor) -> KeysValues:
        """Give keys and values of states [B, S, D], each [B, H, S, D/H]."""
        return self._split(self.key(states)), self._split(self.value(states))

    def forward(self, states: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Attend from states [B, T, D]; bias is added to logits [B, H, T, S]. Gives states and weights [B, H, T, S]."""
        queries = self._split(self.query(states))
        logits = queries @ keys.transpose(2, 3) / math.sqrt(queries.shape[-1]) + bias
        weights = torch.softmax(logits.float(), dim=-1)
        mixed = self.dropout(weights).to(values.dtype) @ values
        mixed = self.out(mixed.transpose(1, 2).flatten(2))  # [B, H, T, D/H] -> [B, T, D]
        return mixed, weights

    def _split(self, states: Tensor) -> Tensor:
        batch, length, width = states.shape
        return states.reshape(batch, length, self.heads, width // self.heads).transpose(1, 2)  # -> [B, H, S, D/H]


class DecoderLayer(nn.Module):
    """A pre-norm decoder layer: self-attention, cross-attention, feed-forward."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.itself = Attention(width, heads, dropout)
        self.source = Attention(width, heads, dropout)
        self.expand = nn.Linear(width, 4 * width)
        self.shrink = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)
        self.follow = nn.Parameter(torch.randn(FEATURES, 1, heads, 1, 1))

    def keys_values(self, states: Tensor) -> KeysValues:
        """Give keys and values of the cross-attention for source states [B, S, D], each [B, H, S, D/H]."""
        return self.source.keys_values(states)

    def look_back(self, states: Tensor, past: KeysValues | None) -> tuple[Tensor, KeysValues]:
        """Attend to the steps so far, those of `past` too; give new states [B, T, D] and keys and values of all."""
        normed = self.norms[0](states)
        keys, values = self.itself.keys_values(normed)
        if past is not None:
            keys, values = torch.cat([past[0], keys], 2), torch.cat([past[1], values], 2)
        new, steps = states.shape[1], keys.shape[2]
        causal = torch.full((new, steps), NEVER, device=states.device).triu(steps - new + 1)
        return states + self.dropout(self.itself(normed, keys, values, causal)[0]), (keys, values)

    def read(self, states: Tensor, source: KeysValues, mask: Tensor, follows: Tensor) -> tuple[Tensor, Tensor]:
        """Attend to the source; give new states [B, T, D] and the attention [B, H, T, S]. mask: bool [B, S]."""
        bias = (self.follow * follows[:, :, None]).sum(0)  # [FEATURES, B, 1, T, S] -> [B, H, T, S]
        bias = bias.masked_fill(~mask[:, None, None], NEVER)
        read, weights = self.source(self.norms[1](states), *source, bias)
        states = states + self.dropout(read)
        hidden = functional.gelu(self.expand(self.norms[2](states)))
        return states + self.dropout(self.shrink(hidden)), weights


class CopyDecoder(nn.Module):
    """Decodes answers of at most `steps` tokens from source states of width D, with `layers` layers."""

    def __init__(self, width: int, heads: int, *, layers: int, steps: int, dropout: float) -> None:
        super().__init__()
        self.positions = nn.Embedding(steps, width)
        self.layers = nn.ModuleList(DecoderLayer(width, heads, dropout) for _ in range(layers))
        self.source = nn.LayerNorm(width)
        self.norm = nn.LayerNorm(width)
        self.point = nn.Linear(width, width)
        self.pointed = nn.Linear(width, width)
        self.gate = nn.Linear(width, 1)
        # From the start it rather copies than generates, and goes on where it stopped.
        self.follow = nn.Parameter(torch.tensor([0.0, 2.0, 2.0, 2.0]))
        nn.init.constant_(self.gate.bias, 2.0)
        nn.init.normal_(self.positions.weight, std=0.02)

    def memory(self, states: Tensor, ids: Tensor, mask: Tensor, copyable: Tensor) -> Memory:
        """Prepare source states [B, S, D] for reading."""
        states = self.source(states)
        sources = tuple(layer.keys_values(states) for layer in self._stack())
        return Memory(ids, mask, copyable, sources, self.pointed(states))

    def forward(self, inputs: Tensor, ids: Tensor, memory: Memory, past: tuple[KeysValues, ...] = ()) -> Decoded:
        """Decode the newest T of the tokens `ids` (the first of all is the start), embedded as `inputs` [B, T, D].

        past: of the steps before them; none if `inputs` are all.
        """
        stop, new = ids.shape[1], inputs.shape[1]
        follows = _follows(ids[:, max(0, stop - new - FEATURES + 2) :], memory)[:, :, -new:]
        states = inputs + self.positions.weight[stop - new : stop]
        mass = torch.zeros((), device=states.device)
        kept = []
        for number, layer in enumerate(self._stack()):
            source = memory.sources[number]
            states, seen = layer.look_back(states, past[number] if past else None)
            states, weights = layer.read(states, source, memory.mask, follows)
            kept.append(seen)
            with torch.no_grad():
                norms = source[1].float().norm(dim=3)[:, :, None]
                mass = mass + (weights * norms).mean(1) / len(self.layers)
        states = self.norm(states)
        logits = self.point(states) @ memory.pointer.transpose(1, 2) / math.sqrt(states.shape[-1])
        logits = logits.float() + (self.follow[:, None, None, None] * follows).sum(0)
        pointer = logits.masked_fill(~memory.copyable[:, None], NEVER)
        return Decoded(states, pointer, self.gate(states).float().squeeze(2), mass, tuple(kept))

    def _stack(self) -> list[DecoderLayer]:
        return [layer for layer in self.layers if isinstance(layer, DecoderLayer)]


def token_log_likelihood(decoded: Decoded, generation: Tensor, targets: Tensor, memory: Memory) -> Tensor:
    """Give log p(y_t) of targets [B, T]: the mixture of copying and of generating by logits [B, T, V]."""
    generated = torch.log_softmax(generation.float(), dim=2).gather(2, targets[:, :, None]).squeeze(2)
    same = memory.ids[:, None] == targets[:, :, None]
    copied = torch.logsumexp(decoded.pointer.masked_fill(~same, NEVER), 2) - torch.logsumexp(decoded.pointer, 2)
    can_copy = (same & memory.copyable[:, None]).any(2)
    copied = torch.where(can_copy, copied, NEVER)
    gate = decoded.gate
    return torch.logaddexp(functional.logsigmoid(gate) + copied, functional.logsigmoid(-gate) + generated)


def likeliest(probability: Tensor) -> Tensor:
    """Choose by probabilities [B, V] the likeliest token of each, [B]."""
    return probability.argmax(1)


def drawn(probability: Tensor) -> Tensor:
    """Draw by probabilities [B, V] a token of each, [B]."""
    return torch.multinomial(probability, 1).squeeze(1)


def next_token(decoded: Decoded, generation: Tensor, memory: Memory, choose: Choice = likeliest) -> Step:
    """Choose the token after the last step."""
    gate = torch.sigmoid(decoded.gate[:, -1:])
    pointer = torch.softmax(decoded.pointer[:, -1], dim=1) * gate * memory.copyable
    generated = torch.softmax(generation[:, -1].float(), dim=1) * (1 - gate)
    ids = choose(generated.scatter_add(1, memory.ids, pointer))
    copied = pointer * (memory.ids == ids[:, None])
    is_copied = copied.sum(1) > generated.gather(1, ids[:, None]).squeeze(1)
    return Step(ids, copied, is_copied)


def _follows(ids: Tensor, memory: Memory) -> Tensor:
    """Tell of each step and source token [FEATURES, B, T, S] how the answer so far matches what stands there.

    Whether the source token is the one decoded last; whether the one, two, three tokens before it are those decoded
    last. One is not enough in texts full of numbers: what follows a comma could be anything.
    """
    same = (memory.ids[:, None] == ids[:, :, None]) & memory.copyable[:, None]
    after = functional.pad(same[:, :, :-1], (1, 0)) & memory.copyable[:, None]
    levels = [after]
    for _ in range(FEATURES - 2):
        # The same diagonal one step earlier: step t - 1 and source token i - 1.
        levels.append(after & functional.pad(levels[-1][:, :-1, :-1], (1, 0, 1, 0)))
    return torch.stack([same, *levels]).float()

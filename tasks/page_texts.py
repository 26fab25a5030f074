"""Texts of pages of the World Factbook that a language model is to find likely.

The countries of dev and test are held out: their pages are the text of no training example (`factbook.splits`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.arguments.several import several
from reml.contract.collections import KnowledgeSource
from reml.contract.examples import OWN_PAGE, Answer, Example, Page
from reml.contract.recorded import recorded
from reml.evaluation.metrics.perplexity import Perplexity
from reml.tasks.by_digest import SPLITS
from reml.tasks.factbook.pages import FactbookPages
from reml.tasks.factbook.splits import subjects


@recorded
@checked()
class PageTexts:
    """Each example is a stretch of a page: its `input`, which is the right answer, too; `meta` has its `own_page`.

    words: of a text. texts: of a page, spread evenly over it; all that follow each other if left out. regions: whose
    pages there are, as `africa`; all if left out.
    """

    metric = Perplexity()
    name = "page_texts"

    def __init__(self, words: Count = 100, *, texts: Count | None = None, regions: Sequence[str] = ()) -> None:
        self.words, self.texts, self.regions = words, texts, several(regions, "regions")

    def source(self) -> KnowledgeSource:
        """Give the pages of all splits; what is retrieved from is a collection of its own."""
        return FactbookPages()

    def examples(self, split: str) -> Sequence[Example]:
        """Give the texts of the pages of a split, page after page; `ValueError` for one that there is not."""
        if split not in SPLITS:
            raise ValueError(f"{self.name} has no split {split!r}. Choose one of {list(SPLITS)}.")
        pages = [one.page for one in subjects(split) if not self.regions or one.region in self.regions]
        return [example for page in pages for example in self._texts(page)]

    def _texts(self, page: Page) -> Iterator[Example]:
        words = "\n".join(page.paragraphs[1:]).split(" ")
        starts = range(0, max(1, len(words) - self.words + 1), self.words)
        kept = len(starts) if self.texts is None else min(self.texts, len(starts))
        for number in range(kept):
            start = starts[number * len(starts) // kept]
            text = " ".join(words[start : start + self.words])
            if text.strip():
                yield Example(f"{page.id}-{start}", text, (Answer(text),), {OWN_PAGE: page.id})

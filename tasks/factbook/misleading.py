"""Open-domain QA where finding the answer's words is not enough: they stand in other paragraphs of the page too.

What a passage is worth for such a question only a reader can tell that understands it, so they are what feedback from
predictor to retriever should be tried on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from reml.contract.arguments.checked import checked
from reml.contract.collections import KnowledgeSource
from reml.contract.examples import Example, Measure
from reml.contract.recorded import recorded
from reml.tasks.by_digest import SPLITS, Draft, sample
from reml.tasks.factbook.pages import FactbookPages, factbook_pages
from reml.tasks.factbook.questions import questions


@recorded
@checked()
class MisleadingQuestions:
    """The questions of `Factbook` whose answer also stands in at least `places` other paragraphs of its page.

    With 2, which is the default, there are 1,236 to train on, 412 in dev and 400 in test.
    """

    def __init__(self, places: int = 2) -> None:
        if places < 1:
            raise ValueError(f"places is {places}: give at least 1, or choose Factbook for questions of all kinds.")
        self._places = places
        self._splits: dict[str, list[Example]] = {}

    @property
    def name(self) -> str:
        """Always the same."""
        return "factbook_misleading"

    @property
    def measure(self) -> Measure:
        """Exact match, as for all questions."""
        return "em"

    def source(self) -> KnowledgeSource:
        """Give the 256 pages."""
        return FactbookPages()

    def examples(self, split: str) -> Sequence[Example]:
        """Give the examples of `train`, `dev` or `test`, countries mixed; `ValueError` for another split."""
        if split not in SPLITS:
            raise ValueError(f"{self.name} has no split {split!r}. Choose one of {list(SPLITS)}.")
        if split not in self._splits:
            made = (draft.make() for draft in questions(split))
            chosen = [Draft.of(one) for one in made if self._misleads(one)]
            self._splits[split] = sample(chosen, len(chosen))
        return self._splits[split]

    def _misleads(self, example: Example) -> bool:
        return len(misleading_paragraphs(example)) >= self._places


def misleading_paragraphs(example: Example) -> list[int]:
    """List the other paragraphs of the evidence's page in which a right answer stands as whole words."""
    evidence, texts = example.output[0].provenance[0], example.answers
    paragraphs = factbook_pages()[evidence.wikipedia_id].page.paragraphs
    others = (number for number in range(1, len(paragraphs)) if number != evidence.start_paragraph_id)
    # Nearly all paragraphs hold no answer at all, which is told at a tenth of the price.
    holding = [number for number in others if any(text in paragraphs[number] for text in texts)]
    if not holding:
        return []
    answer = re.compile("|".join(rf"(?<!\w){re.escape(text)}(?!\w)" for text in texts))
    return [number for number in holding if answer.search(paragraphs[number])]

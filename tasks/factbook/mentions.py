"""Entity linking: a name in the running text of another country's page, marked; the answer is the page it means.

The name may be the title, another form of it, an abbreviation, a former name or the adjective of nationality.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping

from reml.contract.examples import Answer, Example, Provenance
from reml.tasks.by_digest import Split, in_order
from reml.tasks.factbook.aliases import adjectives, names
from reml.tasks.factbook.pages import FactbookPage, Part, factbook_pages
from reml.tasks.factbook.splits import split_of

_FIELDS = frozenset(
    {
        "Background",
        "Country name",
        "Economic overview",
        "Flag",
        "Geography - note",
        "Legal system",
        "Military - note",
        "Military deployments",
        "Military equipment inventories and acquisitions",
    }
)
_NAMES = frozenset(
    {
        "conventional long form",
        "conventional short form",
        "local long form",
        "local short form",
        "former",
        "abbreviation",
    }
)
_CONTEXT = 240  # characters on each side
_OTHER_NAMES, _TITLES = 12, 4  # examples for each page
# What before and after a name says that it is part of another one.
_BESIDE = re.compile(r"([A-Z][\w'.]*|(?:Lake|Gulf|Sea|Strait|Bay|Battle|Treaty) of(?: the)?|/) ?$")
_GOES_ON = re.compile(r" (?:[A-Z]|(?:words?|names?|term|language|for|meaning)\b)")


def mentions(split: Split) -> Iterator[Example]:
    """Yield at most 12 mentions of each page of the split by another name, and at most 4 by its title.

    `meta` holds the contexts and the mention as KILT's files do.
    """
    for page_id, examples in _mentions_by_page().items():
        if split_of(page_id) == split:
            # Some pages share a text; the mention is then taken from one of them.
            by_id = {example.id: example for example in {example.input: example for example in examples}.values()}
            title = factbook_pages()[page_id].page.title
            chosen = [by_id[example_id] for example_id in in_order(by_id)]
            yield from [example for example in chosen if example.meta["mention"] != title][:_OTHER_NAMES]
            yield from [example for example in chosen if example.meta["mention"] == title][:_TITLES]


@functools.cache
def _mentions_by_page() -> dict[str, list[Example]]:
    found: dict[str, list[Example]] = {}
    pages = factbook_pages()
    for page in pages.values():
        for part in page.parts:
            for match, target in _matches(part):
                if not _given_away(pages[target], part.text, match):
                    found.setdefault(target, []).append(_example(part, match, pages[target]))
    return found


def _matches(part: Part) -> Iterator[tuple[re.Match[str], str]]:
    if part.field not in _FIELDS or part.name in _NAMES:
        return
    for match in _pattern().finditer(part.text):
        target = _meanings()[match[0]]
        if target != part.page_id and not _within_longer_name(part.text, match):
            yield match, target


@functools.cache
def _meanings() -> Mapping[str, str]:
    return {**adjectives(), **names()}


@functools.cache
def _pattern() -> re.Pattern[str]:
    longest_first = sorted(_meanings(), key=lambda name: (-len(name), name))
    first = re.escape("".join(sorted({name[0] for name in longest_first})))  # so that few words are held to all names
    return re.compile(rf"(?<![\w-])(?=[{first}])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-]|/)")


def _within_longer_name(text: str, match: re.Match[str]) -> bool:
    """Tell whether it is part of another name (`Lake Chad`, `Chad Basin`, `New Guinea`) or names a language."""
    if _GOES_ON.match(text, match.end()):
        return True
    return _BESIDE.search(text[max(0, match.start() - _CONTEXT) : match.start()]) is not None


def _given_away(page: FactbookPage, text: str, match: re.Match[str]) -> bool:
    """Tell whether the page that is meant has the same words around the mention."""
    near = text[max(0, match.start() - 30) : match.end() + 30]
    return near in _whole(page.page.id)


@functools.cache
def _whole(page_id: str) -> str:
    """Give the paragraphs of a page as one text; what is looked for in it has no line break."""
    return "\n".join(factbook_pages()[page_id].page.paragraphs)


def _example(part: Part, match: re.Match[str], target: FactbookPage) -> Example:
    left, right = _left(part.text[: match.start()]), _right(part.text[match.end() :])
    title = target.page.title
    return Example(
        id=f"mention_{target.page.id}_{part.page_id}_{part.paragraph}_{part.start + match.start()}",
        input=f"{left}[START_ENT] {match[0]} [END_ENT]{right}",
        output=(Answer(title, (_title_span(target),)),),
        meta={"left_context": left, "mention": match[0], "right_context": right, "source": part.page_id},
    )


def _title_span(page: FactbookPage) -> Provenance:
    title = page.page.title
    return Provenance(
        wikipedia_id=page.page.id,
        title=title,
        start_paragraph_id=0,
        start_character=0,
        end_paragraph_id=0,
        end_character=len(title),
        bleu_score=1.0,
        section="",
        meta={"evidence_span": [title]},
    )


def _left(text: str) -> str:
    """Keep the last words before a mention."""
    return text if len(text) <= _CONTEXT else text[-_CONTEXT:].partition(" ")[2]


def _right(text: str) -> str:
    """Keep the first words after a mention."""
    return text if len(text) <= _CONTEXT else text[:_CONTEXT].rpartition(" ")[0]

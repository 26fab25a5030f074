"""Entity linking: a name of an article in the lead of another one, marked; the answer is the article it means.

The package has no links, so they are found by their text (`names`). A name counts where it stands alone: not beside
another capitalised word (`South India`, `Paris Commune`), not as the place of an institution (`University of Paris`),
a single word not at the beginning of a sentence, and not if it is a common noun. The word of a title that has namesakes
(`Orion`) counts where the lead has what tells it from them (`constellation`); a surname where the lead names nobody
else by it; neither counts as the name of a thing (`Cantor set`, `Western music`).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reml.contract.examples import Answer, Example
from reml.tasks.by_digest import Split, in_order
from reml.tasks.vital.leads import Lead, leads
from reml.tasks.vital.names import Form, names, small_words
from reml.tasks.vital.splits import split_of

_CONTEXT = 240  # characters on each side
_OTHER_NAMES, _TITLES = 6, 1  # examples for each page
# A word with what joins its parts (`Rimsky-Korsakov`, `N'Djamena`, `U.S`), without an `'s` behind it.
_WORD = re.compile(r"(?<![\w-])\w+(?:(?:['’](?!s\b)|[.&–-]+)\w+)*")
_NEAR = 60  # characters before a name that say how it is used
_OPENING = re.compile(
    r"(?:^|[.!?:;(\"“])\s*$|\b(?:After|Although|And|As|At|Before|Both|But|By|During|For|From|In|Like|Of|On|Since|The|"
    r"Though|Through|To|Under|Unlike|Until|When|Where|While|With|Within)(?: the)? $"
)
_BESIDE = re.compile(r"(?:[A-Z][\w'’.-]*|[A-Z][\w'’.-]* (?:of|de|du|di|for)(?: the)?|[\d–/-]) ?$")
_GOING_ON = re.compile(
    r"(?:['’]s)? (?:[A-Z]|\d)|['’](?!s\b)\w|[-–/]\w| (?:of|de) [A-Z]|,? (?:and|or) [A-Z][\w-]* [A-Z]"
)
_NAMES_IN_ROWS = ("Geography", "People")
# What goes on behind the name of a person or a thing, not behind an adjective.
_NAMED = re.compile(r"['’]s |[,.;)]| ?[–(]|,? (?:and|or|was|is|had|who|in|to|by|as|for|on|being|can|has|began|became) ")
_PLACE = re.compile(r"\b(?:in|of the|at|(?:island|state|city|river|kingdom) of|capital is) $")


@dataclass(frozen=True, slots=True)
class Mention:
    """Where a name stands in a lead, and the article it means."""

    source: Lead
    paragraph: int
    start: int
    name: str
    title: str
    form: Form

    @property
    def text(self) -> str:
        """The paragraph it stands in."""
        return self.source.page.paragraphs[self.paragraph]


def mentions(split: Split) -> Iterator[Example]:
    """Yield at most 6 mentions of each page of the split by another name, and one by its title.

    `meta` holds the contexts and the mention as KILT's files do.
    """
    for title, found in _mentions_by_title().items():
        if split_of(title) == split:
            by_id = {_id(mention): mention for mention in found}
            chosen = [by_id[one] for one in in_order(by_id)]
            others = [mention for mention in chosen if mention.form != "title"][:_OTHER_NAMES]
            yield from map(_example, others + [mention for mention in chosen if mention.form == "title"][:_TITLES])


def links(lead: Lead) -> list[Mention]:
    """Find the names of other articles in a lead, the first mention of each article alone."""
    found = (mention for number, _ in lead.paragraphs for mention in _in_paragraph(lead, number))
    first: dict[str, Mention] = {}
    for mention in found:
        if mention.title != lead.page.title and _means(mention):
            first.setdefault(mention.title, mention)
    return list(first.values())


def _in_paragraph(lead: Lead, number: int) -> Iterator[Mention]:
    """Find the longest name that begins at each word, from left to right, none within another."""
    text, known, lengths, past = lead.page.paragraphs[number], names(), _lengths(), 0
    words = [match.span() for match in _WORD.finditer(text)]
    for at, (start, stop) in enumerate(words):
        longest = 0 if start < past else lengths.get(text[start:stop], 0)
        for _, end in reversed(words[at : at + longest]):
            if (meant := known.get(text[start:end])) is not None:
                past = end
                yield Mention(lead, number, start, text[start:end], *meant)
                break


@functools.cache
def _lengths() -> Mapping[str, int]:
    """Give the words of the longest name that begins with a word."""
    found: dict[str, int] = {}
    for name in names():
        words = _WORD.findall(name) or [name]
        found[words[0]] = max(len(words), found.get(words[0], 0))
    return found


def _means(mention: Mention) -> bool:
    """Tell whether a name stands alone and where it means the article."""
    before = mention.text[max(0, mention.start - _NEAR) : mention.start]
    after = mention.text[mention.start + len(mention.name) :]
    opening = _OPENING.search(before) is not None
    if (_BESIDE.search(before) and not opening) or _GOING_ON.match(after) or mention.name in mention.source.page.title:
        return False
    if " " in mention.name:
        return True
    if mention.form == "surname":
        return _one_person(mention, before, after)
    title = leads()[mention.title]
    common = mention.name.lower() in small_words() and title.topic != "Geography"
    alone = not common and mention.start > 0 and not re.search(r"[.!?:;(\"“]\s*$", before)
    joined = re.search(r"[A-Z][\w-]+ (?:and|&) $", before) and title.topic not in _NAMES_IN_ROWS
    return alone and not joined and (mention.form != "base" or _told(mention, after))


def _told(mention: Mention, after: str) -> bool:
    """Tell whether a lead has all words that tell an article from its namesakes."""
    whole = " ".join(mention.source.page.paragraphs).casefold()
    telling = mention.title[len(mention.name) :].strip(" ()").casefold().split()
    return len(mention.name) > 2 and all(word in whole for word in telling) and _NAMED.match(after) is not None


def _one_person(mention: Mention, before: str, after: str) -> bool:
    """Tell whether a lead names a person: nobody else by this name, no place, nothing that is named for the person."""
    others = " ".join(mention.source.page.paragraphs).replace(mention.title, "")
    someone_else = re.search(rf"[A-Z][\w.]+ {re.escape(mention.name)}", others) is not None
    a_place = mention.source.topic in ("Geography", "History") or _PLACE.search(before) is not None
    return not someone_else and not a_place and _NAMED.match(after) is not None


@functools.cache
def _mentions_by_title() -> Mapping[str, list[Mention]]:
    found: dict[str, list[Mention]] = {}
    for lead in leads().values():
        for mention in links(lead):
            found.setdefault(mention.title, []).append(mention)
    return found


def _id(mention: Mention) -> str:
    return f"mention_{mention.source.page.id}_{mention.paragraph}_{mention.start}"


def _example(mention: Mention) -> Example:
    end = mention.start + len(mention.name)
    left, right = _left(mention.text[: mention.start]), _right(mention.text[end:])
    return Example(
        id=_id(mention),
        input=f"{left}[START_ENT] {mention.name} [END_ENT]{right}",
        output=(Answer(mention.title, (leads()[mention.title].whole,)),),
        meta={
            "left_context": left,
            "mention": mention.name,
            "right_context": right,
            "source": mention.source.page.id,
            "form": mention.form,
        },
    )


def _left(text: str) -> str:
    """Keep the last words before a mention."""
    return text if len(text) <= _CONTEXT else text[-_CONTEXT:].partition(" ")[2]


def _right(text: str) -> str:
    """Keep the first words after a mention."""
    return text if len(text) <= _CONTEXT else text[:_CONTEXT].rpartition(" ")[0]

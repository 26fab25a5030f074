"""What the articles are called in running text: titles, and the other names that mean one article alone.

title     the title itself, of a common noun with its first letter small too (`electric battery`)
base      a title without its brackets, `The Birth of Venus` of `The Birth of Venus (Botticelli)`
alias     what the lead's first sentence says it is also known as, `Asia Minor` of `Anatolia`; a single word of places
surname   a person's last word, `Dostoevsky`, where no other title has it and it is no common word

A name that could mean two articles means none.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, get_args

from reml.tasks.vital.leads import Lead, base, leads

Form = Literal["title", "base", "alias", "surname"]
_ALIAS = re.compile(
    r"^[^.]{0,120}?,? (?:(?:also|commonly|better|formerly|popularly|often|widely|sometimes|officially|or) )+"
    r"(?:known (?:simply )?as|called|spelled|spelt|referred to as|abbreviated(?: as)?|simply)? ?(?:the )?"
    r"([A-Z][^,.;:()]{3,48}?)(?:,|;| \(| is | was | are | were | and | or )"
)


_LETTERS = re.compile(r"[^\W\d_]{2}")  # `C` and `0` are names of too much
# What has no article of its own here: the state that ruled China until 1949, and `New York` is the city as often.
_UNCLEAR = frozenset({"Republic of China", "New York"})


@functools.cache
def names() -> Mapping[str, tuple[str, Form]]:
    """Give the title that each name means and what kind of name it is."""
    found: dict[str, tuple[str, Form]] = {}
    for form in get_args(Form):
        kind: dict[str, set[str]] = {}
        for title, lead in leads().items():
            for name in filter(_LETTERS.search, _FORMS[form](lead)):
                kind.setdefault(name, set()).add(title)
        clear = {name: titles.pop() for name, titles in kind.items() if len(titles) == 1}
        found |= {name: (title, form) for name, title in clear.items() if name not in found}
        found |= {name: ("", form) for name, titles in kind.items() if name not in clear and name not in found}
    return {name: meant for name, meant in found.items() if meant[0]}


def _titles(lead: Lead) -> Iterator[str]:
    title = lead.page.title
    yield title
    if " " in title and lead.topic != "People":
        yield title[0].lower() + title[1:]


def _bases(lead: Lead) -> Iterable[str]:
    title = lead.page.title
    return [base(title)] if base(title) not in (title, *_UNCLEAR) else []


def _aliases(lead: Lead) -> Iterable[str]:
    match = _ALIAS.match(lead.page.paragraphs[1])
    alias = match[1].strip() if match else ""
    # A single word is a place's name, or an epithet (`Fair`), an adjective, a people, a point of the compass.
    clear = " " in alias or (lead.topic == "Geography" and len(alias) > 4)
    return [alias] if clear and alias not in _UNCLEAR and not lead.page.title.startswith("History of") else []


def _surnames(lead: Lead) -> Iterable[str]:
    title = lead.page.title
    last = title.rpartition(" ")[2]
    if lead.topic != "People" or last == title or re.search(r"[(),]| of | the ", title):
        return []
    if len(last) < 4 or not last[0].isupper() or last.lower() in small_words() or len(_titles_with()[last]) > 1:
        return []
    return [last]


@functools.cache
def small_words() -> frozenset[str]:
    """Give the words that some lead has in small letters."""
    texts = (paragraph for lead in leads().values() for _, paragraph in lead.paragraphs)
    return frozenset(word for text in texts for word in re.findall(r"(?<!\w)[a-z]\w+", text))


@functools.cache
def _titles_with() -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for title in leads():
        for word in title.split():
            found.setdefault(word, set()).add(title)
    return found


_FORMS = {"title": _titles, "base": _bases, "alias": _aliases, "surname": _surnames}

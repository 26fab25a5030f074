"""Why a query found nothing: what of it is not searched for, and which of its words no item has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from reml.text.analysis import Analyser
from reml.text.words import folded, has_signs, script, single_letters

# How many words are named.
NAMED = 8


def why_nothing(query: str, analyser: Analyser, stands: Callable[[str], bool], terms: Iterable[str]) -> str:
    """Say why no item is found for a query, as a part of a sentence.

    stands: whether items have a term. terms: all that they have, read only to look for a script.
    """
    if not query.strip():
        return "the query is empty"
    sought = _sought(query, analyser)
    if not sought:
        return _nothing_sought(query, analyser)
    pairs = zip(sought, analyser.stems(sought), strict=True)
    lacking = [word for word, term in pairs if not stands(term)]
    if len(lacking) < len(sought):
        return "no passage matches the query, though there are some with words of it"
    named = f"the word {lacking[0]!r}" if len(lacking) == 1 else f"any of the words {_listed(lacking)}"
    unknown = {script(word) for word in lacking} - {script(term) for term in terms}
    scripts = "".join(f", nor any word in {name} letters" for name in sorted(unknown - {""}))
    return f"no passage has {named}{scripts}"


def _sought(query: str, analyser: Analyser) -> list[str]:
    stopped = frozenset(analyser.stop_words)
    return [token for token in dict.fromkeys(analyser.tokens(query)) if token not in stopped]


def _nothing_sought(query: str, analyser: Analyser) -> str:
    stopped = list(dict.fromkeys(analyser.tokens(query)))
    if analyser.pattern is not None and not stopped:
        return f"nothing in the query is a token by the pattern {analyser.pattern!r}"
    letters = list(dict.fromkeys(single_letters(query))) if analyser.pattern is None else []
    held = [
        *([f"stop words ({_listed(stopped)})"] if stopped else []),
        *([f"single letters or digits ({_listed(letters)})"] if letters else []),
        *(["signs"] if has_signs(folded(query)) else []),
    ]
    return f"the query holds only {' and '.join(held) or 'signs'}, which are not searched for"


def _listed(words: Sequence[str]) -> str:
    return ", ".join(map(repr, words[:NAMED])) + (", ..." if len(words) > NAMED else "")

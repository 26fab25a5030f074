"""A question that describes what it asks about by something else: `the neighbor that meets Chad` in place of its name.

Questions of several hops are asked for by a span of theirs first (Qi et al., "Answering complex open-domain questions
through iterative query generation", EMNLP 2019, https://arxiv.org/abs/1910.07000), and, once what is described has a
name, by the rest with that name (Min et al., "Multi-hop reading comprehension through question decomposition and
rescoring", ACL 2019, https://arxiv.org/abs/1906.02916: bridging).

Deviations: both learn where the span lies; here it is an article, a noun and a relative clause around the first name.
"""

from __future__ import annotations

import re

_SMALL = r"(?:(?!(?:the|an?|of|in|on|at|for|by|with|from|to|and|or)\s)[a-z][\w-]*\s+)"
_RELATIVE = r"(?:(?:from|with|in|of|to|by|for|on|at|under|over|through)\s+)?(?:that|which|who|whom|whose|where)\s"
_UPPER = "".join(filter(str.isupper, map(chr, range(0x530))))  # Latin, Greek and Cyrillic
_CAPITAL = rf"(?:[{_UPPER}0-9][\w.'\u2019-]*)"
_NAME = rf"{_CAPITAL}(?:\s+(?:(?:of|and|the|de|da|del|van|von|&)\s+)*{_CAPITAL})*"
_HELPING = r"(?:is|are|was|were|has|have|had|do|does|did)\b"
# Where and when, after the name: `in the film Kiss and Tell`, `on the longest stretch of frontier`.
_PLACE = rf"(?:\s+(?:on|in|at|during|along)\s+the\s+{_SMALL}{{0,3}}?(?:{_NAME}|{_SMALL}of\s+[a-z-]+))?"
_ARTICLE = re.compile(r"\b(?:[Tt]he|[Aa]n?)\s+")
# Where the name is the subject of the clause, what it does belongs to it.
_DESCRIPTION = re.compile(
    rf"{_ARTICLE.pattern}{_SMALL}{{1,4}}{_RELATIVE}"
    rf"(?:(?:the\s+)?{_NAME}\s[^?.!;,]{{0,150}}?(?=[?.!;,]|\s{_HELPING})|[^?.!;,{_UPPER}]{{0,150}}?{_NAME}{_PLACE})"
)


def description(question: str) -> str:
    """Give the innermost description in a question, by which it is asked for first; nothing where there is none."""
    if not question.rstrip().endswith("?") or "\n" in question.strip():
        return ""
    found = [_DESCRIPTION.match(question, article.start()) for article in _ARTICLE.finditer(question)]
    return next((one[0].rstrip(".'\u2019-") for one in reversed(found) if one is not None), "")


def named(question: str, name: str) -> str:
    """Give the question with a name in place of its description, before it where it has none."""
    described = description(question)
    return question.replace(described, name, 1) if described else f"{name} {question}"

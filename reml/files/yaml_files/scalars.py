"""What a plain word of YAML stands for: a number where it can be nothing else, and the text else.

YAML 1.1 takes `on`, `no`, `007` and `1.10` for true, false, 7 and 1.1, whatever they are to name. Here a
word among others is a number only if that number is written so, and true and false only as these words: all else stays
a text until a setting says that it takes a number or a truth (`meant`), when `007` is 7, `1e-3` is 0.001, and `off` is
false. A setting that takes a text gets what was written.
"""

from __future__ import annotations

import re

from reml.contract.examples import Json

NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
TRUTHS = {
    word: truth for truth, name in ((True, "true"), (False, "false")) for word in (name, name.title(), name.upper())
}
# What YAML 1.1 takes for a truth too.
WORDS = {
    word: truth
    for truth, names in ((True, ("yes", "on")), (False, ("no", "off")))
    for name in names
    for word in (name, name.title(), name.upper())
}
INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
WHOLE = re.compile(r"[-+]?[0-9][0-9_]*")
OTHER_BASE = re.compile(r"[-+]?(0x[0-9a-fA-F_]+|0o[0-7_]+|0b[01_]+)")
DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?")
# What is read as another number than it shows, wherever a number is wanted, so that neither is served.
AMBIGUOUS = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?|\+0[0-7_]+")
AMBIGUITY = (
    "which some readers of YAML take for a number of another base: put a text in quotes, write a number as it is."
)
# Longer ones are no numbers that anything here counts or measures.
LONGEST = 400


def written(word: str) -> Json:
    """Give what a plain word stands for whatever it is to be: a number only if it is written as that number is."""
    if word in NOTHING:
        return None
    if word in TRUTHS:
        return TRUTHS[word]
    if not (word[0].isdecimal() or word[0] in "-+."):
        return word
    value = _number(word)
    if isinstance(value, float) and "." in word and (INFINITE.fullmatch(word) or repr(value) == word):
        return value
    return value if isinstance(value, int) and str(value) == word else word


def meant(word: str) -> Json:
    """Give what a plain word stands for where a text is not what is wanted."""
    if word in NOTHING:
        return None
    if word in TRUTHS or word in WORDS:
        return {**TRUTHS, **WORDS}[word]
    value = _number(word)
    return word if value is None else value


def _number(word: str) -> int | float | None:
    if len(word) > LONGEST:
        return None
    if WHOLE.fullmatch(word):
        return int(word.replace("_", ""))
    if OTHER_BASE.fullmatch(word):
        return int(word.replace("_", ""), 0)
    if INFINITE.fullmatch(word):
        return float(word.replace(".", "", 1))
    return float(word.replace("_", "")) if DECIMAL.fullmatch(word) else None

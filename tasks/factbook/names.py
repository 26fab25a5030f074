"""What the pages of the World Factbook are called: titles, and the other names their countries go by."""

from __future__ import annotations

from collections.abc import Mapping

from reml.contract.examples import Json
from reml.tasks.factbook.cleaning import clean_text

# Where the conventional short form is missing, cut off, shared, or a list.
_TITLES = {
    "cf": "Republic of the Congo",
    "cg": "Democratic Republic of the Congo",
    "dr": "Dominican Republic",
    "ee": "European Union",
    "fk": "Falkland Islands",
    "fm": "Micronesia",
    "gz": "Gaza Strip",
    "sv": "Svalbard",
    "um": "United States Pacific Island Wildlife Refuges",
    "vt": "Holy See",
    "xx": "World",
}
# fmt: off
_WITH_ARTICLE = frozenset(
    [
        "ae", "at", "bf", "bp", "cf", "cg", "cj", "ck", "cq", "cr", "ct", "cw", "dr", "ee", "fk", "fo",
        "fs", "ga", "gz", "hm", "im", "io", "mv", "nl", "pc", "pf", "pg", "rm", "rp", "sx", "tk", "uk", "um",
        "us", "vi", "vq", "vt", "we",
    ]
)
# fmt: on


def page_title(page_id: str, record: Mapping[str, Json]) -> str:
    """Give the title of a page: the conventional short form of the name, or the long form where there is none."""
    if page_id in _TITLES:
        return _TITLES[page_id]
    short, long = (_name(record, f"conventional {form} form") for form in ("short", "long"))
    return short if short and short != "none" else long


def in_sentence(page_id: str, title: str) -> str:
    """Give the title as it stands within a sentence: `the Netherlands`, `the Gambia`, `Chad`."""
    bare = title.removeprefix("The ")
    return f"the {bare}" if page_id in _WITH_ARTICLE or bare != title else title


def _name(record: Mapping[str, Json], part: str) -> str:
    value: Json = record
    for key in ("Government", "Country name", part, "text"):
        value = value.get(key) if isinstance(value, Mapping) else None
    return clean_text(value) if isinstance(value, str) else ""

"""HTML and SVG as a tree, so that no text can ever be taken for markup."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree as Tree

# XML 1.0 and HTML allow neither control characters nor lone surrogates.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def element(tag: str, attributes: Mapping[str, str] | None = None, *children: Tree.Element | str) -> Tree.Element:
    """Make an element; texts among its children are kept as texts, whatever stands in them."""
    made = Tree.Element(tag, {name: _clean(value) for name, value in (attributes or {}).items()})
    for child in children:
        if not isinstance(child, str):
            made.append(child)
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + _clean(child)
        else:
            made.text = (made.text or "") + _clean(child)
    return made


def render(*elements: Tree.Element) -> str:
    """Write elements as HTML."""
    return "".join(Tree.tostring(made, encoding="unicode", method="html") for made in elements)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)

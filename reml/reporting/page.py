"""A page that is one file: its style is inside, and it asks nothing of any server."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from xml.etree import ElementTree as Tree

from reml.files.atomic import write_text
from reml.reporting.markup import element, render


def write_whole_page(
    path: Path, heading: str, sections: Sequence[Tree.Element], *, title: str, top: Sequence[Tree.Element] = ()
) -> None:
    """Write sections under a heading; `title` is the window's, `top` stands beside the heading."""
    style = (resources.files("reml.reporting") / "report.css").read_text(encoding="utf-8")
    head = element(
        "head",
        None,
        element("meta", {"charset": "utf-8"}),
        element("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        element("meta", {"name": "color-scheme", "content": "light dark"}),
        element("title", None, title),
        element("link", {"rel": "icon", "href": "data:,"}),  # or browsers ask for /favicon.ico
        element("style", None, style),
    )
    header = element("header", {"class": "top"}, element("h1", None, heading), *top)
    body = element("body", None, header, element("main", {"id": "main"}, *sections))
    write_text(path, "<!doctype html>\n" + render(element("html", {"lang": "en"}, head, body)))

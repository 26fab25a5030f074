"""A page that is one file: its style is inside, and it asks nothing of any server.

Pages are Jinja2 templates, `.html` files beside the code that fills them, and extend `templates/base.html`. A template
is named by its package and its place in it, `reml.study/page.html`: one in a user's own package is as good as ours.
Every text is escaped where it is filled in; only plots, drawn as a tree (`reml.reporting.plots`), and what templates
gave before come in as markup.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from reml.files.atomic import write_text
from reml.reporting.plots import Plot, draw, legend, written

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

# HTML allows neither control characters nor lone surrogates.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def write_whole_page(path: Path, template: str, values: Mapping[str, object]) -> None:
    """Fill a template and write it; characters that HTML forbids are replaced.

    Templates that extend the base are given `title`, the window's, and `heading`, the page's.
    """
    write_text(path, _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", render(template, values)))


def render(template: str, values: Mapping[str, object]) -> Markup:
    """Fill a template, `package/place`; one that is not there, and a value that it misses, raise Jinja's errors."""
    from markupsafe import Markup

    return Markup(_environment().get_template(template).render(values))  # noqa: S704  # the environment escapes


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        autoescape=True, loader=FunctionLoader(_source), trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    environment.filters |= {"svg": _svg, "legend": _legend}
    return environment


def _source(name: str) -> str | None:
    package, _, place = name.partition("/")
    file = resources.files(package) / place
    return file.read_text(encoding="utf-8") if file.is_file() else None


def _svg(plot: Plot) -> Markup:
    from markupsafe import Markup

    return Markup(written(draw(plot)))  # noqa: S704  # a tree escapes its texts


def _legend(names: Sequence[str]) -> Markup:
    from markupsafe import Markup

    return Markup(written(legend(names)))  # noqa: S704  # a tree escapes its texts

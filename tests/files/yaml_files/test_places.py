"""A setting is found where it stands: through lists, aliases and merged mappings."""

from __future__ import annotations

from pathlib import Path

import pytest

from reml.files.yaml_files.places import line_of

TEXT = """\ufeff# a comment
base: &base
  k: 3
  deep: {a: 1,
    b: 2}
tasks:
  - name: x
    init_args:
      limit: 0
  - {name: y}
reading:
  <<: *base
  depth: 9
again: *base
two:
  <<: [*base, {more: 1}]
'a.b[c]': 1
"""


@pytest.mark.parametrize(
    ("names", "line"),
    [
        (("base",), 2),
        (("base", "deep", "b"), 5),
        (("tasks", 0, "init_args", "limit"), 9),
        (("tasks", 1), 10),
        (("tasks", 1, "nothing"), 10),
        (("reading", "depth"), 13),
        (("reading", "k"), 3),
        (("again", "deep", "a"), 4),
        (("two", "k"), 3),
        (("two", "more"), 16),
        (("a.b[c]",), 17),
        (("nothing",), None),
        ((), None),
    ],
)
def test_lines(names: tuple[str | int, ...], line: int | None, tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    path.write_text(TEXT, encoding="utf-8")
    assert line_of(path, names) == line

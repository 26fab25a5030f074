"""Where a setting stands in a file of YAML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from reml.files.lines import file_text
from reml.files.yaml_files.reading import MERGE


def line_of(path: Path, names: Sequence[str | int]) -> int | None:
    """Give the line of a setting in a file that `read_yaml` reads, or of the innermost that holds it; `None` if none.

    names: keys of mappings and numbers of items of lists, from the outermost.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    node, line = yaml.compose(file_text(path).removeprefix("\ufeff"), Loader=loader), None
    for name in names:
        found = next((one for key, one in _parts(node) if key == name), None)
        if found is None:
            break
        place, node = found
        line = place.start_mark.line + 1
    return line


def _parts(node: yaml.Node | None) -> Iterator[tuple[str | int, tuple[yaml.Node, yaml.Node]]]:
    """Go through what a node holds: the key or number of each part, where it stands, and the part itself."""
    if isinstance(node, yaml.SequenceNode):
        yield from ((number, (one, one)) for number, one in enumerate(node.value))
    if isinstance(node, yaml.MappingNode):
        yield from ((key.value, (key, value)) for key, value in node.value if key.value != MERGE)
        below = [value for key, value in node.value if key.value == MERGE]
        for one in below:
            for merged in one.value if isinstance(one, yaml.SequenceNode) else [one]:
                yield from _parts(merged)

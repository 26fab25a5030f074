"""One way to print: names, ids, titles and paths reach the terminal through `reml.reporting.terminal` alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests import ROOT
from tests.test_layout import ROOMS, sources

PRINTING = {"reml/devices/bars.py", "reml/devices/terminal.py", "reml/reporting/terminal.py", "reml/reporting/table.py"}
# What others may take of rich: the type of a console.
HARMLESS = {"Console"}
WRITING = {"print", "print_json", "input", "log", "rule", "status", "out"}
# JSON for other programs is written as it is.
STREAMS = {"reml/cli/dispatch.py", "reml/cli/comparison_commands.py", "reml/devices/streams.py"}


def trees() -> list[tuple[str, ast.Module]]:
    paths = [path for folder in ("reml", *ROOMS) for path in sources(folder)]
    return [(str(path.relative_to(ROOT)), ast.parse(path.read_text())) for path in paths]


def printers(tree: ast.AST) -> list[str]:
    """Find what prints, in a file that is to let others do so."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.partition(".")[0] == "rich"]
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "rich":
            found += [alias.name for alias in node.names if alias.name not in HARMLESS]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITING:
            owner = ast.unparse(node.func.value).lower()
            found += [ast.unparse(node.func)] if owner.endswith(("console", "console()")) else []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            found.append("print")
    return found


def streams(tree: ast.AST) -> list[str]:
    names = (ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return [name for name in names if name in {"sys.stdout", "sys.stderr"}]


def test_only_one_place_prints() -> None:
    wrong = {name: found for name, tree in trees() if name not in PRINTING and (found := printers(tree))}
    assert not wrong


def test_only_the_command_line_writes_to_the_standard_streams() -> None:
    assert not {name: found for name, tree in trees() if name not in STREAMS and (found := streams(tree))}


def test_who_has_two_lines_to_say_says_twice() -> None:
    """`say` shows the end of a line as it is written, since a name may hold one."""
    wrong = [
        f"{name}:{node.lineno}"
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("say")
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and "\n" in part.value
    ]
    assert not wrong


@pytest.mark.parametrize(
    "program",
    [
        "import rich",
        "from rich import print",
        "from rich.table import Table",
        "from rich.text import Text",
        "from rich.progress import track",
        "from rich.progress import Progress, TextColumn",
        "from rich.progress import BarColumn",
        "from rich.panel import Panel",
        "from rich.logging import RichHandler",
        "console.print(name)",
        "self._console.print(name)",
        "runner.stages.console.print(name)",
        "Console().print(name)",
        "console.input(name)",
        "console.status(name)",
        "print(name)",
    ],
)
def test_another_place_would_be_seen(program: str) -> None:
    assert printers(ast.parse(program))


def test_the_printing_places_are_there() -> None:
    assert all((Path(ROOT) / place).is_file() for place in PRINTING | STREAMS)

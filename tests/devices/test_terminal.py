from __future__ import annotations

import io

import pytest
from rich.console import Console

from reml.devices.terminal import line


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_line_can_be_written_in_the_encoding_of_its_terminal(encoding: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=stream)
    console.print(line(console, "日 ", ("±", "bold")))
    stream.flush()

"""The tables an experiment ends with in the terminal, one a task: what its result folder has."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from reml.reporting.figure_tables import main_table
from reml.reporting.result_folder import read_measured
from reml.reporting.terminal import print_table, say


def show_figures(console: Console, run: Path) -> None:
    """Print the figures of a result folder, each with half the width of its interval, and say what they are."""
    table = main_table(*read_measured(run))
    for of_task in table.terminal():
        print_table(console, of_task)
    for line in table.caption():
        say(console, line)

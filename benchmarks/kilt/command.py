"""`reml benchmark kilt`: an experiment under several seeds, as a matrix of tasks and access models."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources

import transformers
from rich.console import Console

from reml.benchmarks.kilt import tables
from reml.benchmarks.kilt.published import differences, read_published
from reml.benchmarks.kilt.result import write_result
from reml.benchmarks.kilt.selection import narrowed
from reml.cli.loading import experiment_parser, load
from reml.comparison.comparisons import Comparison, comparisons
from reml.comparison.matrix import Matrix, run_matrix
from reml.experiment.runner import Runner
from reml.reporting.table import Table
from reml.reporting.terminal import print_whole

DESCRIPTION = """Run an experiment under several seeds: a matrix of tasks, access models and seeds, each cell cached;
with means and intervals over seeds, significance tests, costs, published results and a page. All settings of an
experiment can be given too, as to `reml run`; its own seed is the first one."""


def benchmark(arguments: Sequence[str]) -> None:
    """Run the matrix, print its tables and write its folder."""
    parser = own_parser()
    own, of_experiment = parser.parse_known_args(list(arguments))
    if own.help:
        Console().print(parser.format_help(), experiment_parser("run").format_help(), highlight=False, markup=False)
        return
    if own.seeds < 1:
        raise ValueError(f"seeds is {own.seeds}: give 1 or more.")
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    given = _experiment_arguments(of_experiment, own.limit)
    first = _part(given, own)
    runners = _seeded(first.experiment.seed, given, own)
    accesses = _names(own.access) or list(first.experiment.access)
    matrix = run_matrix(runners, accesses)
    compared = comparisons(matrix)
    grids = _grids(first, matrix, compared)
    page = write_result(first.stages.home, first.config, matrix=matrix, tables=grids)
    _show(first.stages.console, grids, compared)
    first.stages.console.print(f"results: {page.parent}\nreport:  {page}", highlight=False, soft_wrap=True)


def own_parser() -> argparse.ArgumentParser:
    """Make the parser of what is the benchmark's own; the rest is the experiment's."""
    parser = argparse.ArgumentParser(
        prog="reml benchmark kilt", description=DESCRIPTION, add_help=False, allow_abbrev=False, exit_on_error=False
    )
    parser.add_argument("-h", "--help", action="store_true", help="show this and the settings of an experiment")
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds (default: 3)")
    parser.add_argument("--datasets", default="", help="names of tasks, with commas between (default: all)")
    parser.add_argument("--access", default="", help="names of access models, with commas between (default: all)")
    parser.add_argument("--limit", type=int, help="examples of each task, as --reading.limit (default: as configured)")
    return parser


def _experiment_arguments(given: Sequence[str], limit: int | None) -> list[str]:
    arguments = list(given)
    if not any(argument.partition("=")[0] == "--config" for argument in given):
        arguments = ["--config", str(resources.files("reml.benchmarks").joinpath("configs/kilt.yaml")), *arguments]
    return arguments if limit is None else [*arguments, "--reading.limit", str(limit)]


def _part(arguments: Sequence[str], own: argparse.Namespace) -> Runner:
    return narrowed(load("run", arguments)[0], _names(own.datasets), _names(own.access))


def _seeded(first: int, arguments: Sequence[str], own: argparse.Namespace) -> Iterator[Runner]:
    """Read the experiment anew for each seed: settings may refer to it, and the former one leaves the memory."""
    for seed in range(first, first + own.seeds):
        yield _part([*arguments, "--seed", str(seed)], own)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _grids(runner: Runner, matrix: Matrix, compared: Sequence[Comparison]) -> dict[str, Table]:
    differing = {task.name: differences(runner, task) for task in runner.experiment.tasks}
    return {
        "figures": tables.figures(matrix),
        "costs": tables.costs(matrix),
        "tests": tables.paired(compared),
        "published": tables.beside(matrix, read_published(), differing),
        "cells": tables.cells(matrix),
    }


def _show(console: Console, grids: Mapping[str, Table], compared: Sequence[Comparison]) -> None:
    """Print what fits: of the tests only those of the KILT score, of published results not their sources."""
    ranked = tables.paired([one for one in compared if one.kind == "KILT score"])
    shown = {"figures, %": grids["figures"], "costs": grids["costs"], "differences by KILT score, %": ranked}
    beside = grids["published"].only(("task", "figure", "system", "value", "split", "not comparable"))
    for title, grid in {**shown, "published, %": beside}.items():
        if grid.rows:
            console.print(f"[bold]{title}[/bold]", highlight=False)
            print_whole(console, grid.terminal())

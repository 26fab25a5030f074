"""`reml benchmark kilt`: an experiment under several seeds, as a matrix of tasks and access models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources

from rich.console import Console

from reml.benchmarks.kilt import tables
from reml.benchmarks.kilt.published import differences, read_published
from reml.benchmarks.kilt.result import write_result
from reml.benchmarks.kilt.selection import narrowed
from reml.cli.loading import Given
from reml.comparison.comparisons import Comparison, comparisons
from reml.comparison.matrix import Matrix
from reml.comparison.running import published_cells, run_matrix
from reml.contract.arguments.several import names_in
from reml.experiment.runner import Runner
from reml.reporting.table import Table
from reml.reporting.terminal import print_table, say

# What is run where the command line names no experiment.
KILT = Given("benchmark kilt", ("--config", str(resources.files("reml.benchmarks").joinpath("configs/kilt.yaml"))))


def benchmark(
    given: Given = KILT, *, seeds: int = 3, datasets: str = "", by: str = "", limit: int | None = None
) -> None:
    """Compare access models on tasks over seeds: means, tests, costs, beside published results.

    Without a predictor they are compared by the pages that they find, in nDCG@10 in place of a measure of answers.

    Args:
        given: the experiment, KILT's own if none is named; its own seed is the first one. Each cell is cached.
        seeds: how many seeds.
        datasets: names of tasks, with commas between; all if left out.
        by: names of access models, with commas between; all if left out.
        limit: examples of each task, as `--reading.limit`; as configured if left out.
    """
    if seeds < 1:
        raise ValueError(f"seeds is {seeds}: give 1 or more.")
    limited = given if limit is None else given.over("--reading.limit", str(limit))
    first = narrowed(limited.runner(), names_in(datasets), names_in(by))
    runners = _seeded(limited, range(first.experiment.seed, first.experiment.seed + seeds), datasets, by)
    matrix = run_matrix(runners, names_in(by) or list(first.experiment.compared), published_cells)
    compared = comparisons(matrix)
    grids = _grids(first, matrix, compared)
    page = write_result(first.stages.home, first.config, matrix=matrix, tables=grids)
    ranked = tables.paired(matrix, [one for one in compared if one.kind == matrix.ranking(one.task)])
    _show(first.stages.console, grids, ranked)
    say(first.stages.console, f"results: {page.parent}")
    say(first.stages.console, f"report:  {page}")


def _seeded(given: Given, seeds: Iterable[int], datasets: str, by: str) -> Iterator[Runner]:
    """Read the experiment anew for each seed: settings may refer to it, and the former one leaves the memory."""
    for seed in seeds:
        yield narrowed(given.over("--seed", str(seed)).runner(), names_in(datasets), names_in(by))


def _grids(runner: Runner, matrix: Matrix, compared: Sequence[Comparison]) -> dict[str, Table]:
    differing = {task.name: differences(runner, task) for task in runner.experiment.tasks}
    return {
        "figures": tables.figures(matrix),
        "costs": tables.costs(matrix),
        "tests": tables.paired(matrix, compared),
        "published": tables.beside(matrix, read_published(), differing),
        "cells": tables.cells(matrix),
    }


def _show(console: Console, grids: Mapping[str, Table], ranked: Table) -> None:
    """Print what fits: of the tests only those of what tasks are ranked by, of published results not their sources."""
    shown = {"figures, %": grids["figures"], "costs": grids["costs"], "differences, %": ranked}
    beside = grids["published"].only(("task", "figure", "system", "value", "split", "not comparable"))
    for title, grid in {**shown, "published, %": beside}.items():
        if grid.rows:
            say(console, (title, "bold"))
            print_table(console, grid)

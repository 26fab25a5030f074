"""The commands on files: `reml evaluate` scores KILT predictions, `reml report` writes a result folder's report."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from reml.evaluation.kilt import MEASURES, Evaluation
from reml.evaluation.kilt_files import evaluate_files
from reml.evaluation.report import write_report
from reml.files import write_json


def evaluate(gold: Path, guess: Path, json: Path | None = None, *, depths: tuple[int, ...] = (1, 5, 10, 20)) -> None:
    """Score KILT predictions against right answers and print the measures that KILT defines.

    Args:
        gold: KILT records with the right answers, .jsonl or .jsonl.gz.
        guess: KILT records with one predicted answer each and its provenance best first, in any order.
        json: a file for the figures, in the layout of KILT's own programs.
        depths: the numbers of places that retrieval is measured at.
    """
    evaluation = evaluate_files(gold, guess, depths)
    if json is not None:
        write_json(json, evaluation.to_json())
    console = Console()
    console.print(_answers_table(evaluation))
    console.print(_retrieval_table(evaluation, sorted({*depths, 5})))
    if evaluation.unmatched:
        console.print(f"{evaluation.unmatched} predictions are for ids that {gold} does not have: not scored.")


def report(run: Path) -> None:
    """Write report.html for a result folder anew.

    Args:
        run: the result folder, as `reml run` made it.
    """
    Console().print(f"report: {write_report(run)}", highlight=False, soft_wrap=True)


def _answers_table(evaluation: Evaluation) -> Table:
    table = Table("measure", title=f"answers of {len(evaluation)} examples", title_justify="left")
    table.add_column("downstream", justify="right")
    table.add_column("KILT score", justify="right")
    for name in MEASURES:
        table.add_row(name, f"{evaluation.downstream(name):.4f}", f"{evaluation.kilt(name):.4f}")
    return table


def _retrieval_table(evaluation: Evaluation, depths: list[int]) -> Table:
    title = f"retrieval: R-precision {evaluation.mean('Rprec'):.4f}, entity in input "
    table = Table("at", title=title + f"{evaluation.mean('entity_in_input'):.4f}", title_justify="left")
    names = ("precision", "recall", "success_rate", "answer_in_context", "entity_in_context")
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    for depth in depths:
        cells = (f"{name}@{depth}" for name in names)
        table.add_row(str(depth), *(f"{evaluation.mean(at):.4f}" if at in evaluation.values else "" for at in cells))
    return table

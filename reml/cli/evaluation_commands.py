"""The commands on files: score KILT predictions (`evaluate`) and TREC runs (`measure`), write a `report`."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from reml.contract.arguments.paths import takes_paths
from reml.evaluation.kilt import MEASURES, Evaluation
from reml.evaluation.kilt_files import evaluate_files
from reml.evaluation.passages import evaluate_passage_files
from reml.evaluation.ranked import MEASURES as MEASURES_OF_RANKINGS
from reml.evaluation.ranked import ranked_measures
from reml.files.atomic import write_json
from reml.reporting.report import write_report
from reml.reporting.terminal import print_whole, say


@takes_paths
def evaluate(
    gold: Path,
    guess: Path,
    json: Path | None = None,
    *,
    depths: tuple[int, ...] = (1, 5, 10, 20),
    passages: bool = False,
    pages: Path | None = None,
) -> None:
    """Score any KILT predictions against any KILT gold file.

    Args:
        gold: KILT records with the right answers, .jsonl or .jsonl.gz.
        guess: KILT records with one predicted answer each and its provenance best first, in any order.
        json: a file for the figures, in the layout of KILT's own programs.
        depths: the numbers of places that retrieval is measured at.
        passages: measure the passages of the provenance too, not only their pages (reml/evaluation/passages.py).
        pages: a knowledge source (a file in KILT's schema or a collection's folder); provenance must then be in it.
    """
    evaluation = evaluate_files(gold, guess, depths, pages=pages)
    of_passages = evaluate_passage_files(gold, guess, sorted({*depths, 5})) if passages else None
    if json is not None:
        extra = {"passages": of_passages.means()} if of_passages is not None else {}
        write_json(json, evaluation.to_json() | extra)
    console = Console()
    print_whole(console, _answers_table(evaluation))
    print_whole(console, _retrieval_table(evaluation, sorted({*depths, 5})))
    if of_passages is not None:
        print_whole(console, _passages_table(of_passages, sorted({*depths, 5})))
    if evaluation.unmatched:
        say(console, f"{evaluation.unmatched} predictions are for ids that {gold} does not have: not scored.")


@takes_paths
def measure(run: Path, relevance: Path, measures: str = ",".join(MEASURES_OF_RANKINGS)) -> None:
    """Score a TREC run with ir-measures: nDCG, reciprocal rank and their like.

    Args:
        run: lines of `question Q0 page rank score tag`, as run.trec of a result folder.
        relevance: lines of `question 0 page 1`.
        measures: names, comma-separated, as https://ir-measur.es has them.
    """
    table = Table("measure", "mean")
    for name, value in ranked_measures(run, relevance, measures.split(",")).items():
        table.add_row(name, f"{value:.4f}")
    print_whole(Console(), table)


@takes_paths
def report(run: Path) -> None:
    """Write report.html for a result folder anew.

    Args:
        run: the result folder, as `reml run` made it.
    """
    say(Console(), f"report: {write_report(run)}")


def _answers_table(evaluation: Evaluation) -> Table:
    table = Table("measure", title=f"answers of {len(evaluation)} examples", title_justify="left")
    table.add_column("downstream", justify="right")
    table.add_column("KILT score", justify="right")
    for name in MEASURES:
        table.add_row(name, f"{evaluation.downstream(name):.4f}", f"{evaluation.kilt(name):.4f}")
    return table


def _retrieval_table(evaluation: Evaluation, depths: list[int]) -> Table:
    title = f"retrieval: R-precision {evaluation.mean('Rprec'):.4f}, entity in input "
    names = ("precision", "recall", "success_rate", "answer_in_context", "entity_in_context")
    return _by_depth(evaluation, names, depths, title + f"{evaluation.mean('entity_in_input'):.4f}")


def _passages_table(evaluation: Evaluation, depths: list[int]) -> Table:
    names = ("passage_recall", "passage_success_rate", "answer_recall")
    return _by_depth(evaluation, names, depths, f"passages: R-precision {evaluation.mean('passage_Rprec'):.4f}")


def _by_depth(evaluation: Evaluation, names: tuple[str, ...], depths: list[int], title: str) -> Table:
    table = Table("at", title=title, title_justify="left")
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    for depth in depths:
        cells = (f"{name}@{depth}" for name in names)
        table.add_row(str(depth), *(f"{evaluation.mean(at):.4f}" if at in evaluation.values else "" for at in cells))
    return table

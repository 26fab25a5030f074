"""The commands on files: score KILT predictions (`evaluate`) and TREC runs (`measure`), write a `report`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from reml.contract.arguments.paths import takes_paths
from reml.contract.arguments.several import names_in
from reml.evaluation.kilt import KILT, MEASURES, Evaluation
from reml.evaluation.kilt_files import evaluate_files
from reml.evaluation.passages import evaluate_passage_files
from reml.evaluation.ranked import ranked_measures
from reml.evaluation.trec.named_measures import MEASURES as MEASURES_OF_RANKINGS
from reml.files.atomic import write_json
from reml.reporting.report import write_report
from reml.reporting.table import Table
from reml.reporting.terminal import print_table, say

NAMES = frozenset({"measure", "at"})


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
        gold: KILT records with the right answers, .jsonl or .jsonl.gz; docs/kilt.md shows one.
        guess: KILT records with one predicted answer each and its provenance best first, in any order.
        json: a file for the figures, in the layout of KILT's own programs.
        depths: the numbers of places that retrieval is measured at, such as `1,5`.
        passages: measure the passages of the provenance too, not only their pages (reml/evaluation/passages.py).
        pages: a knowledge source (a file in KILT's schema or a collection's folder); provenance must then be in it.
    """
    if gold.exists() and guess.exists() and gold.samefile(guess):
        raise ValueError(f"{gold} is both gold and guess, which says nothing: name the predictions as guess.")
    evaluation = evaluate_files(gold, guess, depths, pages=pages)
    of_passages = evaluate_passage_files(gold, guess, sorted({*depths, 5})) if passages else None
    if json is not None:
        extra = {"passages": of_passages.means()} if of_passages is not None else {}
        write_json(json, evaluation.to_json() | extra)
    console = Console()
    print_table(console, _answers_table(evaluation))
    print_table(console, _retrieval_table(evaluation, sorted({*depths, 5})))
    if of_passages is not None:
        print_table(console, _passages_table(of_passages, sorted({*depths, 5})))
    for remark in evaluation.remarks:
        say(console, remark)
    if evaluation.unmatched:
        say(console, f"{evaluation.unmatched} predictions are for ids that {gold} does not have: not scored.")


@takes_paths
def measure(run: Path, relevance: Path, measures: str = ",".join(MEASURES_OF_RANKINGS)) -> None:
    r"""Score a TREC run with ir-measures: nDCG, reciprocal rank and their like.

    Args:
        run: lines of `question Q0 page rank score tag`, as run.trec of a result folder. Pages are ranked by score,
            whatever their rank says, as TREC prescribes; equal scores by rank, then by line, for every measure, which
            is said. A space in an id is written `\u0020`; an id without white space stands as it is.
        relevance: lines of `question 0 page 1`, or BEIR's, as in `qrels/test.tsv`. A judged question without a ranking
            counts 0. Files that share no question, or no page since ids are written in two ways, are refused.
        measures: names, comma-separated, as https://ir-measur.es has them, such as `P(rel=2)@5`.
    """
    names = names_in(measures) or [measures]
    found = ranked_measures(run, relevance, names)
    rows = [(name, f"{found[name]:.4f}" if name in found else "") for name in names]
    console = Console()
    print_table(console, Table(("measure", "mean"), NAMES, rows))
    for remark in found.remarks:
        say(console, remark)


@takes_paths
def report(run: Path) -> None:
    """Write report.html for a result folder anew.

    Args:
        run: the result folder that `reml run` named, with a manifest.json in it; `reml report FOLDER` does as well.
    """
    say(Console(), f"report: {write_report(run)}")


def _answers_table(evaluation: Evaluation) -> Table:
    rows = [(name, _cell(evaluation, name), _cell(evaluation, f"{KILT}{name}")) for name in MEASURES]
    title = f"answers of {len(evaluation)} examples"
    return Table(("measure", "downstream", "KILT score"), NAMES, rows, title)


def _retrieval_table(evaluation: Evaluation, depths: list[int]) -> Table:
    title = _title(evaluation, "retrieval", {"R-precision": "Rprec", "entity in input": "entity_in_input"})
    names = ("precision", "recall", "success_rate", "answer_in_context", "entity_in_context")
    return _by_depth(evaluation, names, depths, title)


def _passages_table(evaluation: Evaluation, depths: list[int]) -> Table:
    names = ("passage_recall", "passage_success_rate", "answer_recall")
    return _by_depth(evaluation, names, depths, _title(evaluation, "passages", {"R-precision": "passage_Rprec"}))


def _title(evaluation: Evaluation, start: str, names: Mapping[str, str]) -> str:
    figures = [f"{words} {shown}" for words, name in names.items() if (shown := _cell(evaluation, name))]
    return f"{start}: {', '.join(figures) or 'no right answer names a page'}"


def _by_depth(evaluation: Evaluation, names: tuple[str, ...], depths: list[int], title: str) -> Table:
    rows = []
    for depth in depths:
        cells = (f"{name}@{depth}" for name in names)
        rows.append([str(depth), *(_cell(evaluation, at) for at in cells)])
    return Table(("at", *(name.replace("_", " ") for name in names)), NAMES, rows, title)


def _cell(evaluation: Evaluation, name: str) -> str:
    """Show a mean, nothing where nothing was measured."""
    return f"{evaluation.mean(name):.4f}" if evaluation.measures(name) else ""

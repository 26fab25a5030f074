"""The commands on KILT's files: `reml prepare kilt` and `reml submit`."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from reml.contract.arguments.paths import takes_paths
from reml.contract.arguments.several import names_in
from reml.reporting.terminal import say


@takes_paths
def prepare_kilt(
    datasets: str | None = None,
    folder: Path | None = None,
    *,
    splits: str = "train,dev,test",
    pages: str | None = None,
    words: int = 100,
    hub: str | None = None,
    home: Path | None = None,
) -> None:
    """Fetch KILT's datasets and pages, and say how much of the gold provenance the pages have.

    Args:
        datasets: names, comma-separated: fever, aidayago2, wned, cweb, trex, structured_zeroshot, nq, hotpotqa,
            triviaqa, eli5, wow.
        folder: where the files are and go; `kilt` in REML_HOME if left out, whatever `home` says. What is there is not
            fetched.
        splits: names, comma-separated.
        pages: a file of pages in KILT's schema, or `fetch` for KILT's own, 37 GB; if left out, those in the folder.
        words: of one passage, at most.
        hub: fetch the datasets from the Hugging Face hub instead, `facebook/kilt_tasks` or a folder laid out like it.
        home: where the collection and the figures are kept (default: REML_HOME).
    """
    from reml.experiment.plan.store import Stages
    from reml.files.atomic import usable_home
    from reml.kilt.files import kilt_folder
    from reml.kilt.preparing import chosen, prepare_pages, prepare_splits, show

    if not datasets and not pages:
        raise ValueError("name what to prepare: --datasets nq,fever or --pages fetch, or both.")
    console, where, wanted = Console(), kilt_folder(folder), chosen(datasets, splits)
    made = usable_home(home)
    collection = prepare_pages(pages, where, Stages(made, console), words)
    report = made / "kilt" / "coverage.json"
    show(console, prepare_splits(wanted, where, pages=collection, report=report, hub=hub), collection)
    say(console, f"figures: {report}")


@takes_paths
def submit(
    archive: Path,
    predictions: Path | None = None,
    *,
    datasets: str | None = None,
    folder: Path | None = None,
    names: str = "{dataset}-test_without_answers-kilt.jsonl",
) -> None:
    """Write the archive for KILT's leaderboard and check it.

    Args:
        archive: the .zip file, written if predictions are given, else only checked.
        predictions: a folder with DATASET/predictions.jsonl (as a result folder has for each access model) or
            DATASET.jsonl for each dataset.
        datasets: names, comma-separated; all eleven if left out.
        folder: where KILT's test files are; `kilt` in REML_HOME if left out.
        names: of the files in the archive.
    """
    from reml.kilt.catalogue import DATASETS, dataset
    from reml.kilt.files import kilt_folder
    from reml.kilt.submission import check_archive, write_archive

    wanted = [dataset(name) for name in names_in(datasets or "")] or list(DATASETS.values())
    tests, console = kilt_folder(folder), Console()
    if predictions is None:
        submission = check_archive(archive, wanted, tests=tests, names=names)
    else:
        submission = write_archive(archive, predictions, wanted, tests=tests, names=names)
    for name, count in submission.predictions.items():
        say(console, f"{name}: {count:,} predictions")
    if submission.blank:
        say(console, f"{submission.blank:,} answers are blank: they score 0.")
    say(console, f"{archive} is as KILT's programs ask for it")

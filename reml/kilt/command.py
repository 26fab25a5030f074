"""The command on KILT's files: `reml prepare kilt`."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console


def prepare_kilt(
    datasets: str | None = None,
    folder: Path | None = None,
    *,
    splits: str = "train,dev,test",
    pages: str | None = None,
    words: int = 100,
    home: Path | None = None,
) -> None:
    """Fetch KILT's datasets, make its pages a collection, and say how much of the gold provenance it has.

    Args:
        datasets: names, comma-separated: fever, aidayago2, wned, cweb, trex, structured_zeroshot, nq, hotpotqa,
            triviaqa, eli5, wow.
        folder: where the files are and go; `kilt` in the home folder if left out. What is there is not fetched.
        splits: comma-separated.
        pages: a file of pages in KILT's schema, or `fetch` for KILT's own, 37 GB; if left out, those in the folder.
        words: of one passage.
        home: where the collection and the figures are kept (default: REML_HOME).
    """
    from reml.files import home as default_home
    from reml.kilt.files import kilt_folder
    from reml.kilt.preparing import chosen, prepare_pages, prepare_splits, show
    from reml.stages import Stages

    if not datasets and not pages:
        raise ValueError("name what to prepare: --datasets nq,fever or --pages fetch, or both.")
    console, where, wanted = Console(), kilt_folder(folder), chosen(datasets, splits)
    made = home or default_home()
    collection = prepare_pages(pages, where, Stages(made, console), words)
    report = made / "kilt" / "coverage.json"
    show(console, prepare_splits(wanted, where, pages=collection, report=report), collection)
    console.print(f"figures: {report}", highlight=False, soft_wrap=True)

"""KILT brought here: datasets fetched and read, pages made a collection, and the gold provenance looked up in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from reml.collection.coverage import Coverage, coverage
from reml.collection.disk import DiskCollection
from reml.collection.sources.kilt_pages import JsonlPages
from reml.contract.arguments.numbers import MOST, Bounds, wrong_number
from reml.contract.arguments.several import names_in
from reml.contract.examples import Json
from reml.devices.progress import tracked
from reml.experiment.plan.collections import collection
from reml.experiment.plan.store import Stages
from reml.files.atomic import write_json
from reml.files.fetching.downloads import DownloadError, Patience
from reml.files.fetching.http_transfer import UnreachableError
from reml.files.records import read_examples
from reml.kilt.catalogue import PAGES, SPLITS, Dataset, dataset
from reml.kilt.files import find_pages, find_split, obtain_pages, obtain_split
from reml.reporting.table import Table
from reml.reporting.terminal import print_table, say

FETCH = "fetch"
COLUMNS = ("dataset", "split", "examples", "published", "places", "held", "absent", "outside")


@dataclass(frozen=True, slots=True)
class PreparedSplit:
    """A split that is here; `coverage` is None where no pages are."""

    dataset: Dataset
    split: str
    path: Path
    examples: int
    coverage: Coverage | None

    def to_json(self) -> dict[str, Json]:
        """Say what is here and what is published."""
        known: dict[str, Json] = {"examples": self.examples, "published": self.dataset.file(self.split).examples}
        return known | ({} if self.coverage is None else self.coverage.to_json())


def chosen(names: str | None, splits: str) -> list[tuple[Dataset, str]]:
    """Read comma-separated names; a dataset without one of the splits gives those it has. `ValueError` names others."""
    wanted = names_in(splits)
    unknown = [split for split in wanted if split not in SPLITS]
    if unknown:
        raise ValueError(f"there are no splits {unknown}; there are {', '.join(SPLITS)}.")
    datasets = [dataset(name) for name in names_in(names or "")]
    return [(each, split) for each in datasets for split in wanted if split in each.files]


def prepare_pages(pages: str | None, folder: Path, stages: Stages, words: int) -> DiskCollection | None:
    """Make a collection of the pages: of a file, of KILT's own fetched first, or of what the folder has; else None.

    `ValueError` for words that are no count.
    """
    if (must := wrong_number(words, int, Bounds(least=1, most=MOST))) is not None:
        raise ValueError(f"words is {words}, but must be {must}.")
    path = obtain_pages(folder) if pages == FETCH else Path(pages).expanduser() if pages else find_pages(folder)
    if path is None:
        return None
    return stages.open(collection(JsonlPages(path), words))


def prepare_splits(
    wanted: Sequence[tuple[Dataset, str]],
    folder: Path,
    *,
    pages: DiskCollection | None,
    report: Path,
    hub: str | None = None,
    patience: Patience | None = None,
) -> list[PreparedSplit]:
    """Fetch what is not there, read all of it and look it up; write what was found to `report` as JSON.

    hub: the dataset of the Hugging Face hub to fetch from, instead of KILT's own server.

    `RecordError` names the first line that is no KILT record; `DownloadError` tells at the end all that could not be
    fetched.
    """
    prepared, failures, unreachable = [], [], False
    for each, split in wanted:
        if unreachable and find_split(each, split, folder) is None:
            failures.append(f"{each.file(split).name} was not asked for")
            continue
        try:
            path = obtain_split(each, split, folder, hub=hub, patience=patience)
            prepared.append(_prepared(each, split, path, pages))
        except DownloadError as error:
            failures.append(str(error))
            unreachable = isinstance(error.__cause__, UnreachableError)
    write_json(report, {f"{each.dataset.name} {each.split}": each.to_json() for each in prepared})
    if failures:
        told = "\n  ".join(failures)
        raise DownloadError(f"{len(failures)} of {len(wanted)} files could not be fetched:\n  {told}")
    return prepared


def _prepared(each: Dataset, split: str, path: Path, pages: DiskCollection | None) -> PreparedSplit:
    examples = tracked(read_examples(path), f"look up {path.name}", unit="examples", total=each.file(split).examples)
    if pages is None:
        return PreparedSplit(each, split, path, sum(1 for _ in examples), None)
    found = coverage(pages, examples)
    return PreparedSplit(each, split, path, found.examples, found)


def show(console: Console, prepared: Sequence[PreparedSplit], pages: DiskCollection | None) -> None:
    """Print what is here, and how much of its provenance the collection has, in 80 columns."""
    rows = []
    for each in prepared:
        published, found = each.dataset.file(each.split).examples, each.coverage
        counts = ["-"] * 4 if found is None or not found.places else _counts(found)
        rows.append((each.dataset.name, each.split, f"{each.examples:,}", f"{published:,}", *counts))
    print_table(console, Table(COLUMNS, frozenset({"dataset", "split"}), rows))
    if pages is None:
        lacking = (
            f"no pages here, so nothing to look up: --pages {FETCH} gets KILT's {PAGES:,}, or name a file of yours."
        )
        say(console, lacking)
    else:
        say(console, "absent: the page is not there; outside: it is, and no passage has the characters.")
        say(console, f"{len(pages):,} passages in {pages.folder}")


def _counts(found: Coverage) -> list[str]:
    return [f"{found.places:,}", f"{found.share:.1%}", f"{found.absent:,}", f"{found.outside:,}"]

"""`reml benchmark speed`: indexes against their peers, on the same items and queries, in one run."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.console import Console

from reml.benchmarks.speed.comparison import Conduct, compare
from reml.benchmarks.speed.engine import AbsentError, Engine, load_engine
from reml.benchmarks.speed.figures import Comparison, Skipped
from reml.benchmarks.speed.growth import growths
from reml.benchmarks.speed.measuring import Asking
from reml.benchmarks.speed.page import write_page
from reml.benchmarks.speed.plan import SPLADE_MODEL, Plan, Wanted, absent_corpora, plans, rehearsals
from reml.benchmarks.speed.ratios import baseline_of
from reml.benchmarks.speed.result import Result, machine, versions
from reml.benchmarks.speed.tables import answered, built, grown, titled
from reml.benchmarks.speed.workloads.real_texts import JOINS, RealTexts
from reml.contract.arguments.extras import install_hint
from reml.contract.arguments.several import names_in
from reml.devices.progress import busy
from reml.files.atomic import home, write_json
from reml.files.model_location import ModelError
from reml.reporting.terminal import print_table, say

# Answers of each set of queries that are checked against exact scores.
CHECKED = 100


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Compare indexes with their peers: time, memory, disk, checked recall.

    Args:
        engines: names with commas between: impact, bm25s, tantivy, pisa for BM25; impact, scipy, seismic for learned
            sparse vectors; or class paths of your own. Those that are not installed are skipped, and it is said.
        rows: numbers of synthetic items with commas between, or none ("") beside a corpus; growth is fitted over them.
        k: numbers of results with commas between.
        models: bm25, splade, snrm, with commas between; synthetic ones of the last two are random vectors with their
            statistics.
        corpus: folders with real texts in BEIR's layout or KILT's, with commas between, beside the synthetic ones;
            those with a + between are one corpus.
        words: at how many words real texts are cut; 0 leaves them whole.
        sets: which sets of queries of real texts are asked, with commas between; all if left out.
        splade: what encodes real texts for splade; snrm is started from their statistics and not trained.
        kept: the folder in which encoded texts stay for the next time; one in REML_HOME if left out.
        queries: how many queries of each kind are asked.
        rounds: how often each engine is opened and searched, in turns; the figures are medians.
        builds: how often each index is built.
        baseline: engines that ratios refer to, with commas between; the first of them that serves a model counts.
        patience: seconds after which a build or a search is stopped and its engine skipped.
        folder: where corpora and indexes are meanwhile; a temporary folder if left out.
        json: a file for all figures.
        page: a file for a page with plots.
    """

    engines: str = "impact,bm25s,tantivy,pisa,scipy,seismic"
    rows: str = "10000,100000"
    k: str = "10,100,1000"
    models: str = "bm25,splade,snrm"
    corpus: str = ""
    words: int = 0
    sets: str = ""
    splade: str = SPLADE_MODEL
    kept: Path | None = None
    queries: int = 500
    rounds: int = 3
    builds: int = 1
    baseline: str = "bm25s,scipy"
    patience: float = 1800.0
    folder: Path | None = None
    json: Path | None = None
    page: Path | None = None

    def run(self) -> None:
        """Measure, print tables, and write the figures and the page where they are asked for."""
        console = Console()
        result = self.measure(console)
        if result.growths:
            print_table(console, grown(result.growths))
        for skipped in result.skipped:
            say(console, f"skipped: {skipped.engine}: {skipped.reason}")
        if self.json is not None:
            write_json(self.json, result.to_json())
        if self.page is not None:
            write_page(self.page, result, names_in(self.baseline))

    def measure(self, console: Console) -> Result:
        """Make all comparisons, printing each when it is done; `ValueError` for settings that do not fit."""
        wanted = self._wanted()
        asking = self._asking()
        engines, skipped = present(names_in(self.engines))
        with tempfile.TemporaryDirectory(prefix="reml-speed-", dir=self.folder) as base, busy(console) as now:
            conduct = Conduct(asking, self.rounds, self.builds, self.patience, now)
            rehearsal = replace(conduct, asking=replace(asking, ks=(1,), seconds=0.0), rounds=1, builds=1)
            for plan in rehearsals(wanted):
                compare_planned(plan, engines, Path(base), rehearsal)
            comparisons = []
            for plan in plans(wanted):
                try:
                    comparisons.append(compare_planned(plan, engines, Path(base), conduct))
                except ModelError as error:
                    skipped.append(Skipped("real texts", str(error)))
                    continue
                self._show(console, comparisons[-1])
        skipped += [*absent_corpora(wanted), *_failed(comparisons)]
        settings = {name: str(value) for name, value in asdict(self).items()}
        return Result(machine(), versions(), settings, comparisons, growths(comparisons), skipped)

    def _asking(self) -> Asking:
        if min(self.queries, self.rounds, self.builds) < 1:
            raise ValueError(
                f"queries, rounds and builds are 1 or more, not {self.queries}, {self.rounds} and {self.builds}."
            )
        threads = tuple(count for count in (1, 2) if count <= len(os.sched_getaffinity(0)))
        if int(os.environ.get("NUMBA_NUM_THREADS") or 2) < max(threads):
            raise ValueError("NUMBA_NUM_THREADS holds some engines to one thread: unset it for this command.")
        return Asking(numbers_in("k", self.k), threads, min(CHECKED, self.queries))

    def _wanted(self) -> Wanted:
        if self.words < 0:
            raise ValueError(f"words is a number of words, or 0 for texts as they are, not {self.words}.")
        corpora = [
            RealTexts([Path(one) for one in several.split(JOINS)], self.words, names_in(self.sets))
            for several in names_in(self.corpus)
        ]
        kept = self.kept if self.kept is not None else home() / "speed"
        rows = numbers_in("rows", self.rows) if self.rows else ()
        return Wanted(names_in(self.models), rows, corpora, self.queries, kept, self.splade)

    def _show(self, console: Console, comparison: Comparison) -> None:
        say(console)
        say(console, (titled(comparison), "bold"))
        baseline = baseline_of(comparison, names_in(self.baseline))
        if baseline is not None:
            print_table(console, built(comparison))
            say(console, f"× is how many times as fast as {baseline.engine}: by CPU time, on all threads by wall time")
            print_table(console, answered(comparison, baseline))


def present(names: Sequence[str]) -> tuple[dict[str, Engine], list[Skipped]]:
    """Make the engines that are installed, and say why the others are left out; `ValueError` if there are none."""
    engines: dict[str, Engine] = {}
    skipped: list[Skipped] = []
    for name in names:
        try:
            engines[name] = load_engine(name)
        except AbsentError as error:
            skipped.append(Skipped(name, str(error)))
    if not engines:
        raise ValueError(f"no engine is installed among {', '.join(names) or 'none'}: {install_hint('benchmark')}.")
    return engines, skipped


def compare_planned(plan: Plan, engines: Mapping[str, Engine], base: Path, conduct: Conduct) -> Comparison:
    """Write a workload, compare engines on it, and remove it."""
    conduct.say("the items and queries are written")
    workload = plan(base / "workload")
    try:
        return compare(workload, engines, base / "engines", conduct)
    finally:
        shutil.rmtree(base / "workload")


def numbers_in(option: str, text: str) -> tuple[int, ...]:
    """Read numbers of 1 or more with commas between, each once, ascending; `ValueError` for anything else."""
    names = names_in(text.replace("_", ""))
    if not names or not all(name.isdecimal() and int(name) > 0 for name in names):
        raise ValueError(f"{option} is numbers of 1 or more with commas between, such as 10,100, not {text!r}.")
    return tuple(sorted({int(name) for name in names}))


def _failed(comparisons: list[Comparison]) -> list[Skipped]:
    return [
        Skipped(one.engine, f"{comparison.model}, {comparison.rows:,} items of {comparison.corpus}: {one.reason}")
        for comparison in comparisons
        for one in comparison.skipped
    ]

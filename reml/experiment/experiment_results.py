"""What an experiment gave: scores, examples, costs, differences between systems, and where its report is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reml.contract.arguments.checked import checked_call
from reml.experiment.differences import differences
from reml.experiment.result_tables import cost_table, difference_table, figure_table, score_table
from reml.experiment.seed_results import ScoredExample, SeedResults
from reml.reporting.figures import read_figures

if TYPE_CHECKING:
    import pandas
    import pyarrow


@dataclass(frozen=True, eq=False, slots=True)
class Results:
    """What an experiment gave, under one seed or several: `runs` has one of each, in their order."""

    runs: tuple[SeedResults, ...]

    @property
    def systems(self) -> tuple[str, ...]:
        """The names of what was compared."""
        return tuple(self.runs[0].evaluations)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The names of the tasks."""
        return tuple(self.runs[0].measures)

    @property
    def folder(self) -> Path:
        """The result folder, that of the first seed."""
        return self.runs[0].folder

    @property
    def report(self) -> Path:
        """The report to open in a browser, that of the first seed."""
        return self.runs[0].report

    @property
    def scores(self) -> pyarrow.Table:
        """The mean of every measure: system, task, seed, measure, value, n (examples scored; value is null if none).

        Measures are KILT's, of predictions: their R-precision is that of the provenance. `figures` has the retriever's.
        """
        return score_table({run.seed: run.evaluations for run in self.runs})

    @property
    def figures(self) -> pyarrow.Table:
        """What the tables show, by the names of their columns: of each access model's own ranking, and of predictions.

        system, task, seed, access (whose ranking it is of, null for predictions), figure (R-precision, P@1, recall@5,
        ..., the task's measure, its KILT score, provenance), value, low and high (95 % interval), n. What was not
        measured is left out. It is read from the result folders; `CorruptError` where they are damaged.
        """
        return figure_table({run.seed: (read_figures(run.folder, run.measures), run.measures) for run in self.runs})

    @property
    def costs(self) -> pyarrow.Table:
        """What each system cost on each task: system, task, seed, seconds of each kind of work, bytes, words read."""
        return cost_table({run.seed: run.costs for run in self.runs})

    @checked_call
    def mean(self, system: str, task: str, measure: str) -> float:
        """Average a measure over examples and seeds, NaN if no example is scored; `KeyError` names the measures."""
        return sum(run.evaluation(system, task).mean(measure) for run in self.runs) / len(self.runs)

    @checked_call
    def examples(self, system: str, task: str, seed: int | None = None) -> Iterator[ScoredExample]:
        """Stream the examples of a task with predictions and scores, of the first seed if none is named."""
        by_seed = {run.seed: run for run in self.runs}
        chosen = self.runs[0].seed if seed is None else seed
        if chosen not in by_seed:
            raise ValueError(f"there is no seed {chosen}; there are {', '.join(map(str, by_seed))}.")
        return by_seed[chosen].examples(system, task)

    @checked_call
    def compare(self, first: str, second: str, measures: Sequence[str] = ()) -> pyarrow.Table:
        """Test whether two systems differ, first minus second, on each task; `reml.compare` is for other results.

        measures: R-precision, the task's own measure and its KILT score if left out. The table has a row for each task
        and measure, with all that `reml.experiment.differences.Difference` says. Tasks with fewer than 2 scored
        examples are left out; `ValueError` where nothing is left.
        """
        return difference_table(differences(self.runs, self.runs, [(first, second)], measures))

    def to_pandas(self) -> pandas.DataFrame:
        """Give `scores` as a data frame; `ImportError` with the install command where pandas is absent."""
        try:
            import pandas  # noqa: F401 - Arrow imports it
        except ImportError as error:
            raise ImportError(
                "a data frame needs pandas: `pip install pandas`, or use the Arrow table `scores` as it is."
            ) from error
        return self.scores.to_pandas()

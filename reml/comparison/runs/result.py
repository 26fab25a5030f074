"""What comparing several runs gave: as Arrow table, tables of texts, JSON, and one page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reml.comparison.runs.changed import ChangedAnswer
from reml.comparison.runs.kept import KeptRun
from reml.comparison.runs.settings import SettingDifference
from reml.comparison.runs.tables import (
    changed_table,
    counts_table,
    figures_table,
    marked,
    questions_table,
    runs_table,
    settings_table,
    systems_of,
)
from reml.contract.examples import Json
from reml.experiment.differences import Difference, Shared
from reml.experiment.result_tables import difference_table
from reml.reporting.page import write_whole_page
from reml.reporting.table import Table

if TYPE_CHECKING:
    import pandas
    import pyarrow


@dataclass(frozen=True, slots=True)
class RunPair:
    """Two of the runs that are compared, by their letters.

    shared: by task, which questions both were asked. differences: first minus second. changed: questions that one
    answers rightly and the other one not. remarks: sentences on what is not compared.
    """

    first: str
    second: str
    shared: Mapping[str, Shared]
    differences: tuple[Difference, ...]
    changed: tuple[ChangedAnswer, ...]
    remarks: tuple[str, ...]

    def tables(self) -> list[Table]:
        """Give its tables, but that of the answers that changed; those without rows are left out."""
        letters = (self.first, self.second)
        every = (
            questions_table(letters, self.shared),
            figures_table(letters, self.differences),
            counts_table(letters, self.changed),
        )
        return [table for table in every if table.rows]

    def to_json(self) -> dict[str, Json]:
        """Give all of it as JSON."""
        shared: dict[str, Json] = {task: _counts(counts) for task, counts in self.shared.items()}
        return {
            "first": self.first,
            "second": self.second,
            "questions": shared,
            "differences": [asdict(one) for one in self.differences],
            "changed": [{**asdict(one), "right": list(one.right)} for one in self.changed],
            "remarks": list(self.remarks),
        }

    def page_values(self) -> dict[str, object]:
        """Give what the page shows of it."""
        letters = (self.first, self.second)
        answers = [[*zip(letters, marked(one), strict=True)] for one in self.changed]
        by_task: dict[str, list[object]] = {}
        for one, shown in zip(self.changed, answers, strict=True):
            by_task.setdefault(one.task, []).append((one, systems_of(one), shown))
        tables, names = self.tables(), f"{self.first} and {self.second}"
        return {"names": names, "tables": tables, "remarks": self.remarks, "changed": by_task}


@dataclass(frozen=True, slots=True)
class RunComparison:
    """What several runs give, compared. runs: by letter, in the order they were given in.

    settings: those that differ, by the places of the runs; with the data, and the versions of what they were made with.
    """

    runs: Mapping[str, KeptRun]
    settings: tuple[SettingDifference, ...]
    pairs: tuple[RunPair, ...]

    @property
    def table(self) -> pyarrow.Table:
        """All differences: `first_run` and `second_run`, letters, and all that a `Difference` says."""
        import pyarrow

        tables = []
        for pair in self.pairs:
            found = difference_table(pair.differences)
            for place, (column, letter) in enumerate((("first_run", pair.first), ("second_run", pair.second))):
                found = found.add_column(place, column, pyarrow.array([letter] * len(found), "string"))
            tables.append(found)
        return pyarrow.concat_tables(tables)

    @property
    def changed(self) -> tuple[ChangedAnswer, ...]:
        """The questions that one run answers rightly and another one not, of all pairs."""
        return tuple(change for pair in self.pairs for change in pair.changed)

    def to_pandas(self) -> pandas.DataFrame:
        """Give `table` as a data frame, where pandas is installed."""
        return self.table.to_pandas()

    def tables(self) -> list[Table]:
        """Give what the terminal shows, table by table; those without rows are left out."""
        tables = self._head()
        for pair in self.pairs:
            changed = changed_table((pair.first, pair.second), pair.changed)
            tables += [*pair.tables(), *([changed] if changed.rows else [])]
        return tables

    def to_json(self) -> dict[str, Json]:
        """Give all of it as JSON."""
        letters = list(self.runs)
        runs: dict[str, Json] = {
            letter: {"folder": str(run.folder), "name": run.name, "key": run.key, "seed": run.seed, "note": run.note}
            for letter, run in self.runs.items()
        }
        settings: dict[str, Json] = {
            one.setting: {letters[place]: value for place, value in one.values.items()} for one in self.settings
        }
        return {"runs": runs, "settings": settings, "pairs": [pair.to_json() for pair in self.pairs]}

    def write_html(self, path: Path | str) -> None:
        """Write all of it as one page that needs nothing else."""
        names = " and ".join(dict.fromkeys(run.name for run in self.runs.values()))
        values = {
            "title": f"reml compare: {names}",
            "heading": f"{names}: {len(self.runs)} runs compared",
            "tables": self._head(),
            "pairs": [pair.page_values() for pair in self.pairs],
        }
        write_whole_page(Path(path), "reml.comparison.runs/page.html", values)

    def _head(self) -> list[Table]:
        every = (runs_table(self.runs), settings_table(list(self.runs), self.settings))
        return [table for table in every if table.rows]


def _counts(shared: Shared) -> Json:
    counts = {"first_only": shared.first_only, "second_only": shared.second_only, "altered": shared.altered}
    return {"in_common": len(shared), **counts}

"""Results as Arrow tables: a row for each figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, fields
from typing import TYPE_CHECKING

from reml.evaluation.kilt import KILT, Evaluation
from reml.experiment.differences import Difference
from reml.reporting.figures import PROVENANCE, SHOWN_OF_RETRIEVERS, Figure, Figures

if TYPE_CHECKING:
    import pyarrow

    from reml.experiment.costs import Costs


def score_table(by_seed: Mapping[int, Mapping[str, Mapping[str, Evaluation]]]) -> pyarrow.Table:
    """Give the mean of every measure by system, task and seed, from evaluations by seed, by system, by task.

    A mean over no examples is null.
    """
    import pyarrow

    rows = [
        (system, task, seed, measure, mean, len(found))
        for seed, by_system in by_seed.items()
        for system, by_task in by_system.items()
        for task, found in by_task.items()
        for measure, mean in found.means().items()
    ]
    kinds = {
        "system": "string",
        "task": "string",
        "seed": "int64",
        "measure": "string",
        "value": "double",
        "n": "int64",
    }
    return _table(rows, pyarrow.schema(kinds.items()))


def figure_table(by_seed: Mapping[int, tuple[Figures, Mapping[str, str]]]) -> pyarrow.Table:
    """Give the figures that tables show, with their intervals, by the names that stand above them.

    by_seed: with what each task is ranked by. `access`: whose ranking a figure is of, null for those of predictions.
    """
    import pyarrow

    rows = [
        (system, task, seed, access, name, one.mean, one.low, one.high, one.n)
        for seed, (figures, measures) in by_seed.items()
        for system, task, access, name, one in _shown(figures, measures)
    ]
    words = dict.fromkeys(("access", "figure"), "string"), dict.fromkeys(("value", "low", "high"), "double")
    kinds = {"system": "string", "task": "string", "seed": "int64", **words[0], **words[1], "n": "int64"}
    return _table(rows, pyarrow.schema(kinds.items()))


def _shown(figures: Figures, measures: Mapping[str, str]) -> Iterator[tuple[str, str, str | None, str, Figure]]:
    """Yield system, task, access model, name and figure: what was retrieved, then what was predicted from it."""
    places = [(system, task) for system, by_task in figures.predicted.items() for task in by_task]
    for system, task in places:
        for access, found in figures.rankings[system][task].items():
            yield from ((system, task, access, *one) for one in _named(found, SHOWN_OF_RETRIEVERS))
        score, kilt = measures[task], f"{KILT}{measures[task]}"
        of_answers = {score: score, kilt: kilt, "Rprec": PROVENANCE}
        yield from ((system, task, None, *one) for one in _named(figures.predicted[system][task], of_answers))


def _named(figures: Mapping[str, Figure], names: Mapping[str, str]) -> Iterator[tuple[str, Figure]]:
    return ((shown, figures[name]) for name, shown in names.items() if name in figures)


def cost_table(by_seed: Mapping[int, Mapping[tuple[str, str], Costs]]) -> pyarrow.Table:
    """Give all that `Costs` has by system, task and seed."""
    import pyarrow

    from reml.experiment.costs import Costs

    rows = [
        (system, task, seed, *asdict(costs).values())
        for seed, by_system in by_seed.items()
        for (system, task), costs in by_system.items()
    ]
    kinds = {name: "int64" if name.endswith("bytes") else "double" for name in (part.name for part in fields(Costs))}
    return _table(rows, pyarrow.schema({"system": "string", "task": "string", "seed": "int64", **kinds}.items()))


def difference_table(found: Sequence[Difference]) -> pyarrow.Table:
    """Give differences as rows, all that each has as columns."""
    import pyarrow

    kinds = {"str": "string", "float": "double", "int": "int64"}
    schema = pyarrow.schema([(part.name, kinds[str(part.type)]) for part in fields(Difference)])
    return _table([astuple(one) for one in found], schema)


def _table(rows: Sequence[tuple[object, ...]], schema: pyarrow.Schema) -> pyarrow.Table:
    import pyarrow

    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    arrays = [pyarrow.array(column, kind.type) for column, kind in zip(columns, schema, strict=True)]
    return pyarrow.Table.from_arrays(arrays, schema=schema)

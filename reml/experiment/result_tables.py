"""Results as Arrow tables: a row for each figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, fields
from typing import TYPE_CHECKING

from reml.evaluation.kilt import Evaluation
from reml.experiment.differences import Difference

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

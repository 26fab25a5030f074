"""The rankers of an experiment, trained, in folders that other experiments name.

    python -m reml.benchmarks.kilt.saved_rankers --experiment benchmarks/configs/cascade_minikilt.yaml --folder rankers

Each is trained as `reml run` trains it, or opened where it was, and written to a folder of its name. Configurations
read them by the environment variable RANKERS.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from reml.benchmarks.kilt.script import run_script
from reml.cli.loading import load
from reml.contract.retrievers import Scorer


@runtime_checkable
class _Saving(Protocol):
    def save(self, folder: Path) -> None: ...


def save_rankers(experiment: Path, folder: Path, *, home: Path | None = None, names: Sequence[str] = ()) -> list[Path]:
    """Write the rankers of an experiment, and give their folders.

    Args:
        experiment: its YAML file; the first task says over which collection they are trained.
        folder: where a folder of each is written; one of ours that is there is replaced.
        home: where all is kept (default: REML_HOME).
        names: which rankers; all that are trained if left out.
    """
    runner, _ = load("run", ["--config", str(experiment), *(["--home", str(home)] if home is not None else [])])
    rankers, task = runner.experiment.rankers, runner.experiment.tasks[0].name
    wanted = names or [name for name, ranker in rankers.items() if ranker.train is not None]
    if unknown := [name for name in wanted if name not in rankers]:
        raise ValueError(f"{experiment} has no ranker {unknown[0]!r}; it has {', '.join(rankers) or 'none'}.")
    if unsaved := [name for name in wanted if not isinstance(rankers[name].scorer, _Saving)]:
        raise ValueError(f"the ranker {unsaved[0]!r} cannot be saved: {type(rankers[unsaved[0]].scorer).__name__}.")
    return [_saved(runner.ranker(name, task), folder / name) for name in wanted]


def _saved(ranker: Scorer, folder: Path) -> Path:
    assert isinstance(ranker, _Saving)  # noqa: S101 - looked at before it was trained
    ranker.save(folder)
    return folder


if __name__ == "__main__":
    run_script(save_rankers)

"""Refresh of a few items at a time, those first that are retrieved most: their vectors decide what is learnt from."""

from __future__ import annotations

from dataclasses import dataclass

from reml.contract.arguments.checked import checked
from reml.index.encoded_shards import read_shard
from reml.training.refresh.policies import Change, Refresher, Run, check_steps


@checked()
@dataclass(frozen=True)
class MostRetrieved:
    """Makes the vectors anew that were retrieved most since they were made, while training waits.

    items: how many at a time. steps: between two times, an epoch if left out. The run begins with an index of its own,
    which encodes all items once. An index frees the place of a replaced vector only when it is made as a whole: that is
    done, with all items encoded, once as many vectors were replaced as there are.
    """

    items: int
    steps: int | None = None

    def __post_init__(self) -> None:
        check_steps(self.steps)
        if self.items < 1:
            raise ValueError(f"refresh 1 item or more at a time, not {self.items}.")

    def begin(self, run: Run) -> Refresher:
        """Make the index of this run, unless it is there."""
        if not run.versions.whole():
            run.rebuild(0)()
        return _MostRetrieved(run, self)


class _MostRetrieved:
    def __init__(self, run: Run, settings: MostRetrieved) -> None:
        self._run, self._settings = run, settings

    def after(self, step: int) -> Change | None:
        live, settings = self._run.live, self._settings
        if not self._run.due(step, settings.steps):
            return None
        if live.replaced >= len(live):
            return self._run.rebuild(step)
        chosen = live.most_retrieved(settings.items)
        if not len(chosen):
            return None
        rows, vectors = read_shard(self._run.versions.encode(live, step, chosen))
        return lambda: live.replace(rows, vectors, step)

    def end(self) -> None:
        pass

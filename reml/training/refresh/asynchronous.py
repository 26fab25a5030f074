"""Refresh in another process while training goes on, as ANCE and REALM do.

Xiong et al., "Approximate Nearest Neighbor Negative Contrastive Learning for Dense Text Retrieval", ICLR 2021, section
3.2, https://arxiv.org/abs/2007.00808; Guu et al., "REALM: Retrieval-Augmented Language Model Pre-Training", ICML 2020,
section 3.3, https://arxiv.org/abs/2002.08909.

At which step a new index is put to use depends on how fast the other process is: two runs do not give the same numbers.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from pickle import PicklingError

import torch

from reml.contract.arguments.checked import checked
from reml.contract.retrievers import Index
from reml.training.refresh.policies import Change, RefreshDiedError, Refresher, Run, check_steps


@checked()
@dataclass(frozen=True)
class Asynchronous:
    """Makes all vectors anew in another process, and puts them to use, at once, when it is through.

    steps: at least so many lie between two starts, an epoch if left out; the next one starts only when the one before
    is through, so 1 is as often as can be. threads: of the other process. devices: the CUDA devices that it sees, as
    in CUDA_VISIBLE_DEVICES; those of this process if left out.
    """

    steps: int | None = None
    threads: int = 1
    devices: str | None = None

    def __post_init__(self) -> None:
        check_steps(self.steps)
        if self.threads < 1:
            raise ValueError(f"the process that refreshes has 1 thread or more, not {self.threads}.")

    def begin(self, run: Run) -> Refresher:
        """Wait for the first time; `ValueError` if the retriever cannot be sent to another process."""
        try:
            ForkingPickler.dumps(run.versions.rebuild)
        except (PicklingError, TypeError, AttributeError) as error:
            raise ValueError(
                f"this retriever or its collection cannot be sent to another process ({error}): define their classes "
                "at the top of a module, or choose reml.training.refresh.Every."
            ) from error
        return _Apart(run, self)


class _Apart:
    def __init__(self, run: Run, settings: Asynchronous) -> None:
        self._run, self._settings = run, settings
        self._began = max(run.versions.whole(), default=0)  # the step that was, or is being, made an index of
        self._process: SpawnProcess | None = None

    def after(self, step: int) -> Change | None:
        if self._process is not None:
            return None if self._process.is_alive() else self._take(self._process)
        if step - self._began >= self._run.period(self._settings.steps):
            self._start(step)
        return None

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None

    def _start(self, step: int) -> None:
        folder = self._run.versions.begin(self._run.live, step)
        context = multiprocessing.get_context("spawn")  # a fork would copy locks that threads of torch hold
        work = (self._run.versions.rebuild, folder, self._settings)
        self._began, self._process = step, context.Process(target=_rebuild, args=work, daemon=True)
        self._process.start()

    def _take(self, process: SpawnProcess) -> Change:
        process.join()
        code, step, self._process = process.exitcode, self._began, None
        if code != 0:
            raise RefreshDiedError(
                f"the process that encoded all items with the encoder of step {step} ended with exit code {code}: "
                "training goes on with the vectors that it has, and the next refresh comes when it is due."
            )
        index = self._run.versions.rebuild(self._run.versions.folder(step))
        return lambda: self._run.live.swap(index, step)


def _rebuild(rebuild: Callable[[Path], Index], folder: Path, settings: Asynchronous) -> None:
    threading.Thread(target=_die_with_parent, daemon=True).start()
    if settings.devices is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = settings.devices
    torch.set_num_threads(settings.threads)
    try:
        rebuild(folder)
    except Exception as error:  # said in a line, by the end of this process: the one that trains goes on
        raise SystemExit(f"encoding all items anew: {type(error).__name__}: {error}") from error


def _die_with_parent() -> None:
    """End this process when the one that trains ends, however it ends: nobody would use what it makes."""
    parent = multiprocessing.parent_process()
    assert parent is not None  # noqa: S101 - runs only in a process that was started
    parent.join()
    os._exit(1)

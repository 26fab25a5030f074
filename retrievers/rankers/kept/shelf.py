"""What a `KeepingScorer` keeps of a collection, for as long as its weights are the same."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar, final

import torch
from torch import nn

from reml.contract.collections import Collection
from reml.files.weight_digest import weight_changes

_LOG = logging.getLogger(__name__)
KeptT = TypeVar("KeptT")


@final
class Shelf(Generic[KeptT]):
    """Where something is to be kept, and what is, with how often the weights had changed by then."""

    def __init__(self) -> None:
        self._given: tuple[Collection, Path] | None = None
        self._open: tuple[KeptT, int] | None = None

    def keep(self, collection: Collection, folder: Path) -> None:
        """Say of what to keep it, and where."""
        self._given, self._open = (collection, folder), None

    def opened(self, module: nn.Module, make: Callable[[Collection, Path], KeptT]) -> KeptT | None:
        """Give what is kept, made or opened by `make` if it has to be.

        Nothing where `keep` was not called, scores need a gradient, or weights are others by now.
        """
        if self._given is None or torch.is_grad_enabled() or module.training:
            return None
        changes = weight_changes(module)
        if self._open is None:
            self._open = make(*self._given), changes
        made, before = self._open
        if before != changes:
            _LOG.warning("The weights changed since vectors of items were kept: items are encoded anew.")
            self._given = None
            return None
        return made

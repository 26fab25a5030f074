"""What a served model costs: tokens, as its server counts them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import final

from reml.devices.remarks import remark

_LOG = logging.getLogger(__name__)


@final
@dataclass(eq=False)
class Spent:
    """What was asked of one model so far. asked, kept: texts, and those that came from the cache. read, wrote: tokens.

    It is said on each doubling, so that a long run says it a few times and a dear one early.
    """

    model: str
    asked: int = 0
    kept: int = 0
    read: int = 0
    wrote: int = 0
    _said: int = field(default=0, repr=False)

    def add(self, asked: int, kept: int, read: int, wrote: int) -> None:
        """Count a call."""
        self.asked, self.kept, self.read, self.wrote = (
            self.asked + asked,
            self.kept + kept,
            self.read + read,
            self.wrote + wrote,
        )
        if self.asked >= max(2 * self._said, 1):
            self._said = self.asked
            remark(
                _LOG,
                "%s so far: %d texts asked for, %d more from the cache; %d tokens read, %d written.",
                self.model,
                self.asked,
                self.kept,
                self.read,
                self.wrote,
            )

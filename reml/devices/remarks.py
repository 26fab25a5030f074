"""Remarks on the machine: they are said when they hold, and not kept with what is made meanwhile."""

from __future__ import annotations

import logging

_MARK = "of_machine"


def remark(logger: logging.Logger, message: str, *arguments: object) -> None:
    """Log a warning on the machine."""
    logger.warning(message, *arguments, extra={_MARK: True})


def is_remark(record: logging.LogRecord) -> bool:
    """Tell whether `remark` logged this."""
    return _MARK in vars(record)

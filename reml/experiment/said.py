"""Warnings of a stage, kept with it: who reuses what was made is told of it as who made it was."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence

from reml.contract.examples import Json
from reml.devices.remarks import is_remark

OURS = "reml"


class _Heard(logging.Handler):
    """Keeps what passes it, once each: by whom it was said, and what."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a warning of what is made; how the machine is, is no part of it."""
        if not is_remark(record) and (one := (record.name, record.getMessage())) not in self.said:
            self.said.append(one)


@contextlib.contextmanager
def heard() -> Iterator[list[tuple[str, str]]]:
    """Listen to the warnings of reml until the block ends; they are said all the same."""
    handler, logger = _Heard(), logging.getLogger(OURS)
    logger.addHandler(handler)
    try:
        yield handler.said
    finally:
        logger.removeHandler(handler)


def repeat(name: str, said: Json, already: set[str]) -> None:
    """Say again what was said when a stage was made, unless this run said it already. name: of the stage."""
    for one in said if isinstance(said, Sequence) else ():
        if isinstance(one, list) and len(one) == 2 and one[1] not in already:
            already.add(str(one[1]))
            logging.getLogger(str(one[0])).warning("%s (said when the step %r was made)", one[1], name)

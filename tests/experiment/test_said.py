"""What is said while a stage is made is said again to who reuses it, but not how a machine was then."""

from __future__ import annotations

import logging

import pytest

from reml.devices.remarks import remark
from reml.experiment.said import heard, repeat


def test_what_is_said_of_a_stage_is_repeated_once(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("reml.text")
    with heard() as said:
        logger.warning("%d texts hold no word", 3)
        logger.warning("%d texts hold no word", 3)
        logger.info("indexed")
        logging.getLogger("elsewhere").warning("of a library")
        remark(logger, "compiling the kernels, up to %s", "a minute")
    assert said == [("reml.text", "3 texts hold no word")]
    assert "compiling the kernels, up to a minute" in caplog.messages
    caplog.clear()
    already: set[str] = set()
    repeat("index bm25", [list(one) for one in said], already)
    repeat("index bm25", [list(one) for one in said], already)
    assert caplog.messages == ["3 texts hold no word (said when the step 'index bm25' was made)"]

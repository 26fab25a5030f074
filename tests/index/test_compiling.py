from __future__ import annotations

import logging

import pytest
from numba import njit
from numba.core.event import install_listener

from reml.files.atomic import home
from reml.index.compiling import Announcement


def test_the_first_compilation_of_a_package_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    one, other = njit(lambda value: value + 1), njit(lambda value: value + 2)
    package = __name__.partition(".")[0]
    with (
        caplog.at_level(logging.WARNING),
        install_listener("numba:compile", Announcement("elsewhere")),
        install_listener("numba:compile", Announcement(package)),
    ):
        assert one(1) == 2
        assert other(1) == 3
        assert one(2) == 3  # compiled already
    assert [record.getMessage() for record in caplog.records] == [
        f"compiling the kernels of {package} for this machine, up to a minute, each time: {home()} cannot be "
        "written to keep them"
    ]

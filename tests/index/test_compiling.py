from __future__ import annotations

import importlib
import logging
import resource
import signal
import sys
from pathlib import Path
from types import FunctionType

import pytest
from numba import config, njit
from numba.core.event import install_listener

from reml.files.atomic import home
from reml.index.compiling import Announcement, _sources, kernel


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


def test_a_user_without_a_home_compiles_in_memory(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("REML_HOME", "~nobody-of-that-name/reml")
    monkeypatch.setattr(config, "CACHE_DIR", "")
    where_nobody_writes = one_more.__code__.replace(co_filename="/dev/null/one.py")
    made = kernel(FunctionType(where_nobody_writes, globals()))
    with install_listener("numba:compile", Announcement(__name__.partition(".")[0])):
        assert made(1) == 2
    assert caplog.messages[0].endswith("each time: this user has no home folder to keep them")


def one_more(value: int) -> int:
    return value + 1


def test_a_kernel_is_kept_and_one_that_is_damaged_is_compiled_again() -> None:
    first = kernel(one_more)
    assert first(1) == 2
    (index,) = Path(first.stats.cache_path).glob("test_compiling.one_more-*.nbi")
    index.write_bytes(b"no index")
    assert kernel(one_more)(1) == 2
    again = kernel(one_more)
    assert (again(1), sum(again.stats.cache_hits.values())) == (2, 1)


def test_a_kernel_is_compiled_again_when_what_it_holds_a_part_of_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "kept"))
    monkeypatch.syspath_prepend(tmp_path)
    part = "from reml.index.compiling import part\n\n@part\ndef other(value):\n    return value + {}\n"
    (tmp_path / "holding.py").write_text("from held import other\n\ndef whole(value):\n    return other(value)\n")

    def result(added: int) -> int:
        (tmp_path / "held.py").write_text(part.format(added))
        _sources.cache_clear()
        for name in ("held", "holding"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        return int(kernel(importlib.import_module("holding").whole)(1))

    assert [result(10), result(200)] == [11, 201]


def test_a_kernel_that_cannot_be_kept_works() -> None:
    made = kernel(one_more)
    for path in Path(made.stats.cache_path).glob("test_compiling.one_more-*"):
        path.unlink()
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, former[1]))
    try:
        assert made(1) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
        signal.signal(signal.SIGXFSZ, ignored)
    assert kernel(one_more)(1) == 2

"""Set-up of every test: quiet threads, no hub, a home of its own, and the shared data where they are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import pytest
from hypothesis import settings

from reml.devices.progress import end_all

# A busy machine is no failure.
settings.register_profile("reml", deadline=None)
settings.load_profile("reml")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REML_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(autouse=True)
def _no_work_of_before() -> Iterator[None]:
    """What an error broke off in one test says no line in another, half a minute later."""
    yield
    end_all()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need the data beside the checkout, so that `-m data` runs just these."""
    for item in items:
        if "shared" in getattr(item, "fixturenames", ()):
            item.add_marker("data")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("data") is not None and not SHARED.is_dir():
        pytest.skip(f"the shared data are not at {SHARED}")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the checkout; tests that need it are skipped where it is absent."""
    return SHARED

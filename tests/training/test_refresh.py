from __future__ import annotations

from pathlib import Path

import pytest

from reml.files import StaleError
from reml.training.refresh import Every, Never, Refresh
from reml.training.refresh_partial import MostRetrieved
from tests.training.live import CrashError, SureReader, prepare

SYNCHRONOUS = [Never(), Every(4), MostRetrieved(items=5, steps=2)]


@pytest.mark.parametrize("refresh", SYNCHRONOUS, ids=lambda refresh: type(refresh).__name__)
@pytest.mark.parametrize("calls", [1, 4, 5, 9])
def test_a_crashed_run_goes_on_with_the_same_numbers(tmp_path: Path, refresh: Refresh, calls: int) -> None:
    whole = prepare(tmp_path / "whole", refresh)
    whole.fit()
    broken = tmp_path / "broken"
    with pytest.raises(CrashError):
        prepare(broken, refresh, reader=SureReader(calls)).fit()
    again = prepare(broken, refresh)
    again.fit()
    assert again.metrics() == whole.metrics()
    assert not (broken / "run" / "indexes").exists()


def test_a_run_goes_on_only_under_its_own_refresh(tmp_path: Path) -> None:
    with pytest.raises(CrashError):
        prepare(tmp_path, Every(4), reader=SureReader(5)).fit()
    with pytest.raises(StaleError):
        prepare(tmp_path, Every(5)).fit()

"""What work costs in all its legs, though a process that does it is killed."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path

import pytest

from reml.files.legs import SPENT, Leg, leg, note_cost, waited
from reml.files.legs import Spent as Cost


def peak() -> int:
    return 100


def dies(folder: Path, seconds: float) -> None:
    with leg(folder, lambda: 700):
        time.sleep(seconds)
        os._exit(9)


def stopped(folder: Path) -> None:
    with leg(folder, peak):
        time.sleep(0.1)
        raise KeyboardInterrupt


def killed(folder: Path, seconds: float) -> None:
    process = multiprocessing.get_context("spawn").Process(target=dies, args=(folder, seconds))
    process.start()
    process.join()
    assert process.exitcode == 9


def test_a_leg_that_was_killed_counts_but_for_a_tenth_or_half_a_second(tmp_path: Path) -> None:
    killed(tmp_path, 2.0)
    with leg(tmp_path, peak) as last:
        time.sleep(0.2)
    assert 1.6 <= last.total().seconds <= 3.5
    assert last.memory == 700, "that of the leg that used most"
    last.forget()
    assert not (tmp_path / SPENT).exists()


def test_a_leg_that_was_stopped_counts_whole(tmp_path: Path) -> None:
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            stopped(tmp_path)
    with leg(tmp_path, peak) as last:
        pass
    assert last.total().seconds >= 0.3


def test_a_state_that_is_kept_notes_the_cost(tmp_path: Path) -> None:
    with leg(tmp_path, peak):
        time.sleep(0.05)
        note_cost()
        assert Leg(tmp_path, peak).total().seconds >= 0.05


def test_what_was_spent_inside_or_waited_for_is_left_out(tmp_path: Path) -> None:
    with leg(tmp_path / "outer", peak) as outer:
        with leg(tmp_path / "inner", peak) as inner:
            time.sleep(0.2)
        waited(Cost(100.0))
        assert outer.total().seconds < -99
        assert inner.total().seconds >= 0.2


@pytest.mark.parametrize("damage", ["", "[]", '{"seconds": 3}', '{"seconds": 9, "cpu_seconds": 0, "memory": "1"}'])
def test_a_damaged_note_counts_nothing(tmp_path: Path, damage: str) -> None:
    (tmp_path / SPENT).write_text(damage)
    assert Leg(tmp_path, peak).total().seconds < 1


def test_a_note_with_a_flipped_digit_counts_nothing(tmp_path: Path) -> None:
    Leg(tmp_path, peak).note()
    note = tmp_path / SPENT
    note.write_text(note.read_text().replace('"memory": 100', '"memory": 900'))
    assert Leg(tmp_path, peak).memory == 100

"""How far work is: by a bar on a real terminal (a pseudo-terminal), by lines in a file, and not at all where short."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from reml.cli.dispatch import execute
from reml.devices import progress
from reml.devices.progress import begin, busy, choose, end, end_all, shown_on, tracked, working
from reml.devices.work import Work

NAME = "[/INST] :smile: \x1b[2J [red]"
SHOWN = "[/INST] :smile: \\x1b[2J [red]"
LONG = """
import time
from reml.devices import progress
progress.SHOWN_AFTER, progress.LINE_EVERY = 0.5, 0.6
for one in progress.tracked(range(2), "short", unit="items"):
    time.sleep(0.05)
for one in progress.tracked(range(40), "long", unit="items"):
    time.sleep(0.05)
    if one == 30:
        print("said meanwhile")
print("done")
"""
FAILING = """
import time
from rich.console import Console
from reml.devices import progress
progress.SHOWN_AFTER = 0.2
try:
    with progress.shown_on(Console()):
        kept = progress.tracked(range(9), "broken", unit="items")
        for one in kept:
            time.sleep(0.5)
            raise ValueError
except ValueError:
    print("after the error")
    time.sleep(0.5)
"""


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for two seconds in a test."""
    monkeypatch.setattr(progress, "SHOWN_AFTER", 0.0)
    monkeypatch.setattr(progress, "LINE_EVERY", 0.3)


def terminal() -> tuple[io.StringIO, Console]:
    stream = io.StringIO()
    return stream, Console(file=stream, width=200, force_terminal=True, color_system=None)


def on_terminal(program: str, **environment: str) -> str:
    """Run a program whose streams are a terminal, and give all that it wrote there."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", **environment},
    ) as process:
        os.close(theirs)
        written = b"".join(_pieces(ours))
    os.close(ours)
    assert process.returncode == 0, written.decode()
    return written.decode()


def _pieces(stream: int) -> Iterator[bytes]:
    while True:
        try:
            piece = os.read(stream, 1 << 16)
        except OSError:  # as Linux says that nobody writes any more
            return
        if not piece:
            return
        yield piece


def test_a_terminal_shows_a_bar_with_what_is_done_the_rate_and_the_time_left() -> None:
    written = on_terminal(LONG)
    assert re.search(r"long .*\d+/40 items  \d+(\.\d)?/s  0:0\d left", written)
    assert "━" in written
    assert "short" not in written, "what takes no time is not shown"
    assert re.search(r"\x1b\[2Ksaid meanwhile\r\n", written), "what is said stands above the bar"
    assert written.index("\x1b[?25l") < written.index("\x1b[?25h"), "the cursor is back"
    assert written.endswith("done\r\n")
    assert written.rindex("40 items" if "40/40 items" in written else "items") < written.rindex("done")


def test_a_process_that_is_started_shows_nothing() -> None:
    """Its bar would stand in that of who started it."""
    program = """
import multiprocessing, sys, time
from reml.devices import progress
progress.SHOWN_AFTER = 0.1
def work():
    for one in progress.tracked(range(9), "inner", unit="items"):
        time.sleep(0.1)
process = multiprocessing.get_context("fork").Process(target=work)
with progress.working("outer", 3, "items"):
    process.start()
    process.join()
sys.exit(process.exitcode)
"""
    written = on_terminal(program)
    assert "outer" in written
    assert "inner" not in written


@pytest.mark.parametrize(("setting", "bar"), [("off", False), ("lines", False), ("bars", True), ("auto", True)])
def test_a_setting_chooses_how_it_is_shown(setting: str, bar: bool) -> None:
    written = on_terminal(LONG, REML_PROGRESS=setting)
    assert ("━" in written) is bar
    assert (", 0:0" in written) is (setting == "lines")


def test_a_bar_goes_when_an_error_ends_its_work() -> None:
    written = on_terminal(FAILING)
    assert "broken" in written
    after = written[written.index("after the error") :]
    assert "broken" not in after
    assert "\x1b[?25h" in written[: written.index("after the error")]


@pytest.mark.usefixtures("soon")
def test_what_an_error_broke_off_says_nothing_once_it_is_ended(capsys: pytest.CaptureFixture[str]) -> None:
    kept = tracked(range(9), "broken", unit="items")
    next(kept)
    end_all()
    time.sleep(0.7)
    assert capsys.readouterr().err == ""


def test_a_file_gets_lines_on_the_error_stream_and_none_in_the_output(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LONG],
        capture_output=True,
        text=True,
        check=True,
        env={name: value for name, value in os.environ.items() if name != "FORCE_COLOR"},
    )
    assert done.stdout == "said meanwhile\ndone\n"
    lines = done.stderr.splitlines()
    assert 2 <= len(lines) <= 5
    assert all(re.fullmatch(r"long: \d+ of 40 items \(\d+%\), \d+/s, 0:0\d left", line) for line in lines[:-1])
    assert re.fullmatch(r"long: 40 items in 0:0\d", lines[-1])
    assert "\x1b" not in done.stderr


def test_a_stream_that_only_claims_to_be_a_terminal_gets_no_bar() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LONG], capture_output=True, text=True, check=True, env={**os.environ, "FORCE_COLOR": "1"}
    )
    assert "━" not in done.stderr + done.stdout


@pytest.mark.usefixtures("soon")
def test_what_is_shown_is_no_markup() -> None:
    stream, console = terminal()
    with shown_on(console), working(NAME, 3, NAME):
        time.sleep(0.5)
    assert f"0/3 {SHOWN}" in stream.getvalue()
    stream, console = terminal()
    with busy(console) as now:
        now(NAME)
        time.sleep(0.5)
    assert SHOWN in stream.getvalue()


@pytest.mark.usefixtures("soon")
def test_a_quiet_console_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    with shown_on(Console(file=stream, quiet=True)), working("long"):
        time.sleep(0.7)
    assert (stream.getvalue(), *capsys.readouterr()) == ("", "", "")


@pytest.mark.usefixtures("soon")
def test_work_that_counts_nothing_says_how_long_it_has_lasted_unless_others_say_more() -> None:
    stream = io.StringIO()
    with shown_on(Console(file=stream)):
        with working("index dense"):
            time.sleep(0.7)
        with working("predict"):
            for _ in tracked(range(2), "encode", unit="texts"):
                time.sleep(0.4)
    lines = stream.getvalue().splitlines()
    assert any(re.fullmatch(r"index dense: 0:0\d", line) or line.startswith("index dense: ") for line in lines)
    assert any(line.startswith("encode: ") for line in lines)
    assert not any(line.startswith("predict") for line in lines)


def test_a_step_that_is_work_itself_counts_as_far_as_it_is_done() -> None:
    outer = Work("encode", 8, "items")
    begin(outer)
    outer.step = 4
    inner = Work("encode", 4, "texts")
    begin(inner)
    inner.advance(3)
    assert (outer.reached, inner.is_part) == (3.0, True)
    end(inner)
    assert outer.reached == 4, "the step is over but for what comes behind its work"
    outer.step = 0
    outer.advance(4)
    assert outer.reached == 4
    end(outer)
    end(outer)


def test_work_of_another_thread_is_no_part_of_a_step() -> None:
    outer, other = Work("train", 10, "steps"), Work("encode", 4, "texts")
    begin(outer)
    outer.step = 1
    thread = threading.Thread(target=begin, args=(other,))
    thread.start()
    thread.join()
    assert not other.is_part
    end(other)
    end(outer)


@pytest.mark.parametrize(
    ("done", "total", "unit", "seconds", "said"),
    [
        (0, None, "", 61.0, "w: 1:01"),
        (10, None, "pages", 4.0, "w: 10 pages, 2.5/s, 0:04"),
        (500, 2000, "items", 10.0, "w: 500 of 2,000 items (25%), 50/s, 0:30 left"),
        (1, 3, "batches", 7200.0, "w: 1 of 3 batches (33%), 7200.0 s each, 4:00:00 left"),
        (0, 5, "steps", 9.0, "w: 0 of 5 steps (0%), 0:09"),
        (2_500_000, 37_000_000_000, "bytes", 1.0, "w: 2.5 MB of 37.0 GB (0%), 2.5 MB/s, 4:06:39 left"),
        (900, 1000, "bytes", 0.001, "w: 900 bytes of 1.0 kB (90%), 900.0 kB/s, 0:00 left"),
        (5, 5, "tests", 10.0, "w: 5 of 5 tests (100%), 2.0 s each, 0:00 left"),
        (123_456, 123_456, "items", 1.0, "w: 123,456 of 123,456 items (100%), 123,456/s, 0:00 left"),
        (3, 0, "items", 1.0, "w: 3 items, 3.0/s, 0:01"),
    ],
)
def test_what_a_line_says(done: int, total: int | None, unit: str, seconds: float, said: str) -> None:
    work = Work("w", total, unit)
    work.begun, work.done = 100.0, done
    assert work.line(100.0 + seconds) == said


def test_a_run_that_goes_on_counts_its_rate_from_there() -> None:
    work = Work("encode", 100, "items", done=80)
    work.begun = 0.0
    work.advance(10)
    assert work.line(5.0) == "encode: 90 of 100 items (90%), 2.0/s, 0:05 left"


def test_the_time_left_runs_down_between_large_steps_and_grows_when_one_takes_too_long() -> None:
    work = Work("encode", 100, "items")
    work.begun, work.done = 0.0, 10
    assert work.line(10.0) == "encode: 10 of 100 items (10%), 1.0/s, 1:30 left"
    assert work.line(15.0) == "encode: 10 of 100 items (10%), 1.0/s, 1:25 left"
    assert work.line(40.0) == "encode: 10 of 100 items (10%), 4.0 s each, 6:00 left"


def test_counting_costs_next_to_nothing() -> None:
    start = time.perf_counter()
    assert sum(tracked(range(200_000), "count")) == 19_999_900_000
    assert time.perf_counter() - start < 1.0


def test_a_way_that_there_is_not_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="choose auto, bars, lines or off"):
        choose("loud")
    monkeypatch.setenv("REML_PROGRESS", "loud")
    with pytest.raises(ValueError, match=r"REML_PROGRESS .* is 'loud'"):
        begin(Work("x"))
    assert execute(["measure", "--progress", "loud", "--run", "a", "--relevance", "b"]) == 2
    assert "progress" in capsys.readouterr().err


def test_every_command_takes_the_flag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REML_PROGRESS", "auto")
    execute(["measure", "--progress", "off", "--run", str(tmp_path / "a"), "--relevance", str(tmp_path / "b")])
    assert os.environ["REML_PROGRESS"] == "off"

"""Machines that are not the developer's: each a process of its own, with something of the machine taken away."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests import ROOT
from tests.small_experiment import write_experiment

FIRST_TITLE = {"class_path": "reml.predictors.first_title.FirstTitle"}
CLOSED = "import sys; sys.modules.update(dict.fromkeys({names!r}))\n"
MAIN = "from reml.__main__ import main; sys.exit(main())"
# What has no right to write may read all: a package and files that another user owns.
READER = (
    "setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps +dac_read_search --ambient-caps +dac_read_search"
)
needs_reader = pytest.mark.skipif(
    shutil.which("setpriv") is None or os.geteuid() != 0, reason="only root can give its rights away"
)


@pytest.fixture(scope="module")
def everywhere() -> Iterator[Path]:
    """A folder that other users can enter, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def config(everywhere: Path) -> Path:
    folder = everywhere / "Beyoncé 日本"
    access = {"bm25 ± é": {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}}
    return write_experiment(folder, access=access, predictor=FIRST_TITLE, train_on=None)


@pytest.fixture(scope="module")
def made(config: Path, everywhere: Path) -> Path:
    """A home in which all of the experiment is made, and of which nothing may be written."""
    home = everywhere / "made"
    ended = reml(["run", "--config", str(config)], {"REML_HOME": str(home)})
    assert ended.returncode == 0, ended.stderr
    for path in (home, *home.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return home


def reml(
    words: Sequence[str], given: Mapping[str, str | None], *, absent: Sequence[str] = (), prefix: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command with changes to the environment: None takes a variable away. absent: modules that are not there."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **{name: value for name, value in given.items() if value}}
    for name in [name for name, value in given.items() if value is None]:
        environment.pop(name, None)
    program = CLOSED.format(names=tuple(absent)) + MAIN
    command = [*prefix.split(), sys.executable, "-c", program, *words]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False
    )


MACHINES: list[tuple[dict[str, str | None], tuple[str, ...]]] = [
    ({}, ("fcntl",)),
    ({}, ("fcntl", "resource", "termios", "pwd", "grp")),
    ({"HOME": "/nonexistent"}, ()),
    ({"HOME": None}, ()),
    ({"LC_ALL": "C"}, ()),
    ({"LC_ALL": "POSIX"}, ()),
    ({"PYTHONIOENCODING": "ascii"}, ()),
    ({"PYTHONIOENCODING": "latin-1:strict"}, ()),
    ({"TMPDIR": "/no/such/folder"}, ()),
    ({"COLUMNS": "0"}, ()),
    ({"COLUMNS": "1"}, ()),
    ({"COLUMNS": "-5", "LINES": "x"}, ()),
    ({"TERM": "dumb"}, ()),
    ({"TERM": "no-such-terminal", "FORCE_COLOR": "1", "PYTHONIOENCODING": "ascii"}, ()),
    ({"TZ": "no/such/zone"}, ()),
]

ASCII = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
MANY = {"HOME": None, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "COLUMNS": "0"}


@pytest.mark.parametrize(("given", "absent"), MACHINES)
def test_files_are_scored(given: dict[str, str | None], absent: tuple[str, ...], config: Path, tmp_path: Path) -> None:
    gold, figures = config.with_name("dev.jsonl"), tmp_path / "é 日" / "figures.json"
    guess = shutil.copy(gold, tmp_path / "guess.jsonl")
    words = ["evaluate", "--gold", str(gold), "--guess", str(guess), "--json", str(figures)]
    ended = reml(words, {**given, "REML_HOME": str(tmp_path)}, absent=absent)
    assert ended.returncode == 0, ended.stderr
    assert not ended.stderr or "only soft file lock is available" in ended.stderr
    assert "1.0000" in ended.stdout
    assert figures.is_file()


@pytest.mark.parametrize(
    ("given", "absent"), [MACHINES[1], ({"HOME": None, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "COLUMNS": "0"}, ())]
)
def test_an_experiment_runs(
    given: dict[str, str | None], absent: tuple[str, ...], config: Path, tmp_path: Path
) -> None:
    ended = reml(["run", "--config", str(config)], {**given, "REML_HOME": str(tmp_path / "é 日")}, absent=absent)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "results: " in ended.stdout
    assert list(tmp_path.glob("é 日/runs/*/report.html"))


def test_a_home_is_asked_for_where_there_is_none(config: Path) -> None:
    """A user without a home folder: there is no entry for it, and HOME is not set."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become a user whom the system does not know")
    prefix = READER.replace("65534", "64999")
    ended = reml(["run", "--config", str(config)], {"HOME": None, "REML_HOME": None}, prefix=prefix)
    assert ended.returncode == 2
    assert "this user has no home folder: name in REML_HOME a folder to write to" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (ROOT / "~").exists()


@pytest.mark.parametrize("home", ["/dev/null/home", "/proc/home"])
def test_a_home_that_cannot_be_is_named(home: str, config: Path) -> None:
    ended = reml(["run", "--config", str(config)], {"REML_HOME": home})
    assert ended.returncode == 2
    assert home in ended.stderr
    assert "Traceback" not in ended.stderr


@needs_reader
def test_a_home_that_may_not_be_written_is_named(config: Path, everywhere: Path) -> None:
    ended = reml(["run", "--config", str(config)], {"REML_HOME": str(everywhere / "home")}, prefix=READER)
    assert ended.returncode == 2
    assert f"{everywhere / 'home'} cannot be the home, where all is kept" in ended.stderr
    assert f"may not write to {everywhere}; name a folder to write to, by --home or REML_HOME" in ended.stderr


@needs_reader
def test_what_is_made_can_be_used_where_nothing_can_be_written(config: Path, made: Path) -> None:
    given = {"REML_HOME": str(made), "HOME": "/nonexistent"}
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*")}
    found = reml(["search", "--config", str(config), "--query", "copper"], given, prefix=READER)
    assert (found.returncode, "Oman" in found.stdout) == (0, True), found.stderr
    again = reml(["run", "--config", str(config)], given, prefix=READER)
    assert again.returncode == 0, again.stderr
    assert "cannot be written: what is there of the same experiment stays" in again.stdout
    assert f"results: {made}/runs/" in again.stdout
    assert before == {path: path.stat().st_mtime_ns for path in made.rglob("*")}
    other = reml(["run", "--config", str(config), "--seed", "8"], given, prefix=READER)
    assert other.returncode == 2
    assert f"{made}/" in other.stderr


@needs_reader
def test_a_package_that_may_not_be_written_keeps_its_kernels_elsewhere(config: Path, everywhere: Path) -> None:
    """Installed by one user, used by another one; copied, so that what is kept beside the sources is not found."""
    package, home = _copied(everywhere / "package"), everywhere / "home of kernels"
    home.mkdir()
    home.chmod(0o777)
    given = {"REML_HOME": str(home), "HOME": "/nonexistent", "PYTHONPATH": str(package), "NUMBA_CACHE_DIR": None}
    words = ["search", "--config", str(config), "--query", "copper"]
    first = reml(words, given, prefix=READER)
    assert (first.returncode, "Oman" in first.stdout) == (0, True), first.stderr
    assert "compiling the kernels of reml for this machine, up to a minute, once: they are kept in " in first.stderr
    assert list(home.glob("kernels/*/*.nbi"))
    assert "compiling" not in reml(words, given, prefix=READER).stderr


def _copied(folder: Path) -> Path:
    """Copy the package to a folder that only its owner can write, laid out as it is when installed."""
    shutil.copytree(ROOT / "reml", folder / "reml", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_a_system_that_cannot_name_files_in_utf8_is_told_of_it(config: Path, tmp_path: Path) -> None:
    ended = reml(["run", "--config", str(config)], {**ASCII, "REML_HOME": str(tmp_path)})
    assert ended.returncode == 2
    assert "PYTHONUTF8=1 reads them as UTF-8" in ended.stderr

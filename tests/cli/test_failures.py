"""No traceback for what a user can mend; what is left says whose fault it is and where the log is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import IO

import numpy as np
import pytest
import yaml

from reml.__main__ import main
from reml.cli.failures import FAULT, STOPPED, TO_MEND, UNREAD, told
from reml.contract.asking import noted
from reml.contract.retrieved import Hits
from reml.evaluation.kilt import Scorer
from reml.files.atomic import home
from tests.cli.failing import KINDS

STATUS = {"interrupted": STOPPED, "interrupted in training": STOPPED, "unread": UNREAD}
SAID = {
    "safetensors": "SafetensorError: ",
    "csv": "Error: new-line character seen in unquoted field",
    "zip": "BadZipFile: File is not a zip file",
    "program": "CalledProcessError: ",
    "absent program": "there is no no-such-program.",
    "type": "TypeError: object of type 'int' has no len(), in ",
    "key": "KeyError: 'q45', in ",
    "division": "ZeroDivisionError: ",
    "memory": "there is not enough memory: Unable to allocate 4.00 EiB",
    "absent": "there is no no/such/file.",
    "folder": "Is a directory.",
    "long": "File name too long.",
    "module": "No module named 'no_such_module'",
}


def config(folder: Path, kind: str) -> Path:
    task = {"class_path": "tests.cli.failing.Failing", "init_args": {"kind": kind}}
    bm25 = {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}
    path = folder / "experiment.yaml"
    path.write_text(yaml.safe_dump({"tasks": [task], "access": {"bm25": bm25}}))
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_is_a_sentence(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "--config", str(config(tmp_path, kind)), "--home", str(tmp_path)]) == STATUS.get(kind, 2)
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err + printed.out
    if kind in STATUS:
        return
    first = printed.err.splitlines()[0].removeprefix("reml prepare: ")
    assert " " in first
    assert SAID.get(kind, "") in first
    assert "a fault of reml" not in first


@pytest.mark.parametrize("kind", ["csv", "zip", "program", "type", "index", "key", "division", "text", "shape", "end"])
def test_what_a_library_said_is_in_a_log(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["prepare", "--config", str(config(tmp_path, kind)), "--home", str(tmp_path)])
    log = re.search(r"the traceback is in (.+\.log)", capsys.readouterr().err)
    assert log is not None
    path = Path(log[1])
    assert path.parent == home() / "logs"
    assert "failing.py" in path.read_text()
    assert "prepare\n--config" in path.read_text()


def test_a_traceback_can_be_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REML_TRACEBACK", "1")
    main(["prepare", "--config", str(config(tmp_path, "division")), "--home", str(tmp_path)])
    assert capsys.readouterr().err.startswith("Traceback (most recent call last)")


def raised(work: object) -> Exception:
    try:
        work()  # type: ignore[operator]
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def test_a_fault_of_reml_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong call from within reml: here the constructor of hits, given nothing."""
    error = raised(lambda: Hits.empty("two", "three"))  # type: ignore[arg-type]
    error.__traceback__ = error.__traceback__.tb_next.tb_next  # type: ignore[union-attr] # only what reml did
    said, status = told(error, ["run"])
    assert status == FAULT
    assert said.startswith("this is a fault of reml 0.")
    assert "retrieved.py, line " in said
    assert "the traceback is in " in said
    monkeypatch.setenv("REML_HOME", "/dev/null/home")
    assert "the traceback is in /" in told(error, ["run"])[0], "beside other temporary files"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied", "/x/y"), "/x/y: Permission denied. Give this user the right to it"),
        (OSError(30, "Read-only file system", "/x"), "/x: Read-only file system. Give this user the right to it, or"),
        (OSError(24, "Too many open files", "/x"), "/x cannot be opened beside so many other files. Allow more at a"),
        (
            OSError(28, "No space left on device", "/x"),
            "No space left on device while writing to /x: it needs more",
        ),
        (OSError(5, "Input/output error", "/x"), "/x: Input/output error."),
        (OSError(116, "Stale file handle"), "Stale file handle (OSError)."),
        (FileNotFoundError(2, "No such file or directory", b"/x"), "there is no /x."),
        (MemoryError(), "there is not enough memory. Take less at a time"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"),
            "there is not enough memory: Def",
        ),
        (ValueError("k is 1 or more, not 0."), "k is 1 or more, not 0."),
        (ValueError(""), "ValueError\nhint: "),
        (KeyError("no row 5 there."), "no row 5 there."),
    ],
)
def test_what_a_system_says_names_the_place(error: Exception, said: str) -> None:
    text, status = told(error, ["run"])
    assert text.startswith(said)
    assert status == TO_MEND


def reml(*words: str, stdout: int | IO[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reml", *words]
    return subprocess.run(command, text=True, check=False, stdout=stdout, stderr=subprocess.PIPE)


def test_output_that_nobody_reads_ends_a_command_quietly() -> None:
    read, write = os.pipe()
    os.close(read)
    ended = reml("--help", stdout=write)
    os.close(write)
    assert (ended.returncode, ended.stderr) == (UNREAD, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_output_that_has_no_room_is_said() -> None:
    with Path("/dev/full").open("w") as full:
        ended = reml("--help", stdout=full)
    assert ended.returncode == TO_MEND
    assert ended.stderr == "reml --help: what is printed cannot be written: No space left on device.\n"


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell in which `reml` is the command."""
    program = f'reml() {{ {sys.executable} -m reml "$@"; }}; {line}'
    return subprocess.run(["sh", "-c", program], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("closed", ["2>&-", "<&-"])
def test_streams_may_be_closed(closed: str) -> None:
    ended = shell(f"reml --version {closed}")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("reml ")


@pytest.mark.parametrize("words", ["--help", "--version", "evaluate --help"])
def test_output_that_is_closed_is_not_lost_without_a_word(words: str) -> None:
    ended = shell(f"reml {words} >&-")
    assert (ended.returncode, ended.stdout) == (TO_MEND, "")
    assert "the standard output is closed, so that what was printed is lost" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert shell(f"reml {words} >&- 2>&-").returncode == TO_MEND


def test_who_reads_the_first_line_alone_ends_a_command_quietly() -> None:
    ended = shell("{ reml --help; echo $? >&2; } | { read first; }")
    assert ended.stderr in {f"{UNREAD}\n", "0\n"}, "0 where all of it went into the pipe before"


def test_the_working_folder_may_be_gone(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    program = f"import os; os.chdir({str(folder)!r}); os.rmdir({str(folder)!r}); from reml.__main__ import main; "
    ended = subprocess.run(
        [sys.executable, "-c", program + "raise SystemExit(main(['--version']))"], capture_output=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_thread_that_fails_is_said_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    program = (
        "import threading; from reml.devices.streams import ready_streams; ready_streams(); "
        "one = threading.Thread(target=open, args=('/no/such',), name='reader'); one.start(); one.join()"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stderr == "reader ended: FileNotFoundError: [Errno 2] No such file or directory: '/no/such'\n"


def test_numbers_beyond_the_machine_are_refused_in_a_sentence() -> None:
    error = raised(lambda: np.empty(1 << 62, dtype=np.int64))
    assert told(error, ["run"])[1] == TO_MEND


REFUSED = "the training set is empty: no evidence was retrieved."


def test_a_refusal_of_our_own_is_one_sentence_with_its_step() -> None:
    """What reml refuses is said: a traceback would tell no more, and the last line is the sentence."""
    with pytest.raises(ValueError, match="depths") as caught, noted("in the step 'train'"):
        Scorer([], [0])
    said, status = told(caught.value, ["run"])
    assert (said.count("\n"), status) == (0, TO_MEND)
    assert said.endswith("(in the step 'train')")


def test_a_refusal_of_a_users_class_keeps_the_hint() -> None:
    with pytest.raises(ValueError, match="empty") as caught, noted("in the step 'train'"):
        raise ValueError(REFUSED)
    assert told(caught.value, ["run"])[0].splitlines() == [
        REFUSED,
        "  in the step 'train'",
        "hint: REML_TRACEBACK=1 shows where it arose.",
    ]

"""What is said when a command fails: in a sentence what a user can mend; and of what is left, that it is a fault.

What is no sentence of ours, since a library or Python itself raised it, is kept with its traceback in a log.
"""

from __future__ import annotations

import dis
import errno
import os
import sys
import sysconfig
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

from jsonargparse import ArgumentError

from reml import __version__
from reml.cli.settings.class_paths import suggestions
from reml.cli.settings.written import SettingsError
from reml.devices.disk import FORBIDDEN, FULL, DiskFullError, full
from reml.experiment.settings.settings_of import UntoldSettingsError
from reml.files.atomic import CorruptError, LockedError, StaleError, home
from reml.files.model_location import ModelError
from reml.files.replacing.unlinked import make_folder, unlinked

TRACEBACK = "REML_TRACEBACK"
# What a command ends with: something to mend; a fault of reml's (EX_SOFTWARE of sysexits.h); stopped by the keyboard;
# and where nobody reads what it prints any more (128 and the number of the signal, as shells have it).
TO_MEND, FAULT, STOPPED, UNREAD = 2, 70, 130, 141

EXPECTED = (ArgumentError, ValueError, KeyError, OSError, ImportError, RuntimeError, UntoldSettingsError, MemoryError)
WHOLE = (CorruptError, DiskFullError, LockedError, ModelError, SettingsError, StaleError)
NO_MEMORY = ("out of memory", "can't allocate memory", "Cannot allocate memory")
LIBRARIES = tuple(dict.fromkeys(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")))


def told(error: Exception, words: Sequence[str]) -> tuple[str, int]:
    """Give what is said of an error, and the exit status. words: the command line, for the log."""
    text = _text(error)
    if isinstance(error, WHOLE):
        return text, TO_MEND
    if not isinstance(error, EXPECTED) or (isinstance(error, KeyError | RecursionError) and not _is_sentence(text)):
        return _fault(error, words)
    where: list[str] = getattr(error, "__notes__", [])  # raised in a step: maybe by a class of the user's
    hints = [*suggestions(text), *_of_names("".join([text, *words]))]
    if where and _is_sentence(text) and _is_of_reml(error):  # a refusal: the sentence is what counts, and stands last
        return "\n".join([f"{text} ({'; '.join(where)})", *(f"hint: {line}" for line in hints)]), TO_MEND
    hints += [f"{TRACEBACK}=1 shows where it arose."] if where else []
    if not _is_sentence(text) or _is_of_library(error):
        hints += _log(error, words)
    return "\n".join([text, *(f"  {line}" for line in where), *(f"hint: {line}" for line in hints)]), TO_MEND


def _of_names(text: str) -> list[str]:
    """Say how names of files are read, where a text has some that this system does not read as UTF-8."""
    encoding = sys.getfilesystemencoding()
    if text.isascii() or encoding == "utf-8":
        return []
    return [f"this system reads the names of files as {encoding}; PYTHONUTF8=1 reads them as UTF-8."]


def _text(error: Exception) -> str:
    if isinstance(error, MemoryError) or any(said in str(error) for said in NO_MEMORY):
        return (
            f"there is not enough memory{': ' if str(error) else ''}{error}. Take less at a time (reading.batch_size, "
            "training.batch_size, reading.depth), or a machine with more."
        )
    if isinstance(error, OSError) and error.errno is not None:
        return _of_system(error)
    if isinstance(error, KeyError) and error.args:
        return str(error.args[0])
    return str(error) or type(error).__name__


def _of_system(error: OSError) -> str:
    """Say what the system said of a file, and what can be done."""
    why = error.strerror or os.strerror(error.errno or 0)
    if error.filename is None:
        printing = _modules(error)[-1:] in (["rich.console"], ["reml.cli.dispatch"])
        return f"what is printed cannot be written: {why}." if printing else f"{why} ({type(error).__name__})."
    place = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else str(error.filename)
    if error.errno in FULL:
        return full(Path(place))
    if error.errno in FORBIDDEN:
        return f"{place}: {why}. Give this user the right to it, or name another place, by --home or REML_HOME."
    if error.errno == errno.ENOENT:
        return f"there is no {place}."
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        return f"{place} cannot be opened beside so many other files. Allow more at a time (`ulimit -n 4096`)."
    return f"{place}: {why}."


def _fault(error: Exception, words: Sequence[str]) -> tuple[str, int]:
    """Say of an error that nobody foresaw in whose code it arose, and where its traceback is."""
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    notes = [f"  {line}" for line in getattr(error, "__notes__", [])]
    hints = [f"hint: {line}" for line in _log(error, words)]
    frames = [frame for frame in _frames(error) if not frame[1].startswith(LIBRARIES) or frame[0].startswith("reml.")]
    own = [frame for frame in frames if not frame[0].startswith("reml.") and frame[0] != "__main__"]
    _, file, number = (own or frames or [("", "an unknown file", 0)])[-1]
    if own:
        return "\n".join([f"{what}, in {file}, line {number}, a file outside of reml.", *notes, *hints]), TO_MEND
    said = f"this is a fault of reml {__version__}, not of what was given: {what}, in {file}, line {number}."
    return "\n".join([said, *notes, *hints]), FAULT


def _log(error: Exception, words: Sequence[str]) -> list[str]:
    """Write a log of an error, in the home or where temporary files are; say where it is."""
    lines = [f"reml {__version__}", *words, "", *traceback.format_exception(error)]
    for folder in _folders():
        path = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
        try:
            make_folder(folder)
            with open(path, "x", encoding="utf-8", errors="backslashreplace", opener=unlinked) as stream:
                stream.write("\n".join(lines))
        except OSError:
            continue
        return [f"the traceback is in {path}; {TRACEBACK}=1 shows it."]
    return [f"{TRACEBACK}=1 shows the traceback."]


def _folders() -> Iterator[Path]:
    folders: tuple[Callable[[], Path], ...] = (lambda: home() / "logs", lambda: Path(tempfile.gettempdir()))
    for folder in folders:
        try:
            yield folder()
        except OSError:  # this user has no home folder, or there is none for temporary files
            continue


def _is_sentence(text: str) -> bool:
    return " " in text.strip()


def _is_of_reml(error: Exception) -> bool:
    """Tell whether reml itself refused something, in a sentence."""
    raised_by = _modules(error)[-1:]
    return raised_by[0].startswith("reml.") and not _is_of_library(error) if raised_by else False


def _is_of_library(error: Exception) -> bool:
    """Tell whether a library, or Python itself, raised an error, and not to speak to users."""
    if isinstance(error, ArgumentError | OSError | MemoryError) or error.__traceback__ is None:
        return False
    (module, file, _), (*_, last) = _frames(error)[-1], _calls(error.__traceback__)
    said = dis.opname[last.tb_frame.f_code.co_code[last.tb_lasti]] in {"RAISE_VARARGS", "RERAISE"}
    return not said or (file.startswith(LIBRARIES) and not module.startswith("reml."))


def _calls(first: TracebackType | None) -> Iterator[TracebackType]:
    while first is not None:
        yield first
        first = first.tb_next


def _frames(error: Exception) -> list[tuple[str, str, int]]:
    """Give module, file and line of each call that led to an error, the innermost last."""
    calls = traceback.walk_tb(error.__traceback__)
    return [(str(frame.f_globals.get("__name__")), frame.f_code.co_filename, line) for frame, line in calls]


def _modules(error: Exception) -> list[str]:
    return [module for module, _, _ in _frames(error)]

"""The calls by which Python, numpy and reml write files, each told before it is made.

Told are `os.open`, `open` (that of `Path`, gzip and zipfile too) and each write that such a file hands to the system,
`os.fsync`, renames and the exchange of two names, `os.mkdir`, `os.posix_fallocate`, `os.unlink` and `os.rmdir`. What
libraries of C, C++ or Rust write by themselves (Arrow's files, FAISS, safetensors, what is mapped) is not reached, nor
are the names that `shutil.rmtree` opens and removes within a folder.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy.lib._format_impl as numpy_format

from reml.files.replacing import drafts

# Is told the kind of a call, before it is made, and the path, if the call names one.
Told = Callable[[str, str | None], None]
KINDS = ("write", "fsync", "rename", "open", "mkdir", "fallocate", "unlink")


@contextlib.contextmanager
def watched(root: Path, told: Told) -> Iterator[None]:
    """Tell `told` of each call for a file below `root` before it is made; what it raises, the call raises."""
    watch = _Watch(str(root), told)
    real = {name: getattr(os, name) for name in ("open", "fsync", "rename", "replace", "mkdir", "unlink", "rmdir")}
    kinds = {"replace": "rename", "rmdir": "unlink"}
    with contextlib.ExitStack() as stack:
        for name, call in real.items():
            stack.enter_context(mock.patch.object(os, name, watch.around(call, kinds.get(name, name))))
        stack.enter_context(mock.patch.object(os, "posix_fallocate", watch.around(os.posix_fallocate, "fallocate")))
        stack.enter_context(mock.patch.dict(vars(drafts), exchange=watch.around(vars(drafts)["exchange"], "rename")))
        stack.enter_context(mock.patch.object(io, "open", watch.opened(io.open)))
        stack.enter_context(mock.patch.object(builtins, "open", watch.opened(builtins.open)))
        # numpy would hand an array to C, past the file.
        stack.enter_context(mock.patch.object(numpy_format, "isfileobj", _never))
        yield


class _Watch:
    def __init__(self, root: str, told: Told) -> None:
        self.root, self.told = root, told

    def concerns(self, file: object) -> bool:
        if isinstance(file, int):
            with contextlib.suppress(OSError):
                return str(Path(f"/proc/self/fd/{file}").readlink()).startswith(self.root)
            return False
        return isinstance(file, str | Path) and os.fspath(file).startswith(self.root)

    def around(self, call: Callable[..., Any], kind: str) -> Callable[..., Any]:
        def told_first(file: object, *args: Any, **given: Any) -> Any:
            if self.concerns(file):
                self.told(kind, None if isinstance(file, int) else str(file))
            return call(file, *args, **given)

        return told_first

    def opened(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def told_first(file: Any, mode: str = "r", buffering: int = -1, *args: Any, **given: Any) -> Any:
            if not self.concerns(file):
                return call(file, mode, buffering, *args, **given)
            self.told("open", None if isinstance(file, int) else str(file))
            if not set(mode) & set("wax+"):
                return call(file, mode, buffering, *args, **given)
            return self.writing(file, mode, buffering, *args, **given)

        return told_first

    def writing(
        self,
        file: Any,
        mode: str,
        buffering: int,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> Any:
        raw = _Raw(file, mode.replace("b", "").replace("t", ""), closefd, opener)
        raw.told = self.told
        if buffering == 0:
            return raw
        buffer = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return buffer if "b" in mode else io.TextIOWrapper(buffer, encoding, errors, newline)


class _Raw(io.FileIO):
    told: Told

    def write(self, data: Any, /) -> int:
        self.told("write", None)
        return super().write(data)


def _never(_: object) -> bool:
    return False

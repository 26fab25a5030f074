"""Work of users that fails as libraries and systems do: each kind by itself, no error is made up."""

from __future__ import annotations

import csv
import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import safetensors.numpy
import yaml
from numba import njit
from tokenizers import Tokenizer

from reml.contract.collections import KnowledgeSource
from reml.contract.examples import Example, Measure

HERE = Path(__file__)


def _deep() -> object:
    return _deep()


def _interrupted() -> None:
    raise KeyboardInterrupt


def _interrupted_as_lightning_is() -> None:
    try:
        _interrupted()
    except KeyboardInterrupt:
        sys.exit(1)


def _unread() -> None:
    read, write = os.pipe()
    os.close(read)
    os.write(write, b"a")


KINDS: Mapping[str, Callable[[], Any]] = {
    "safetensors": lambda: safetensors.numpy.load(HERE.read_bytes()),
    "csv": lambda: list(csv.reader(["a\rb"])),
    "zip": lambda: zipfile.ZipFile(HERE),
    "zlib": lambda: zlib.decompress(b"abc"),
    "struct": lambda: struct.unpack("<q", b"a"),
    "arrow": lambda: pa.ipc.open_file(pa.BufferReader(b"abc")),
    "tokenizers": lambda: Tokenizer.from_str("{}"),
    "numba": lambda: njit(lambda value: value.nothing)(1),
    "program": lambda: subprocess.run([sys.executable, "-c", "raise SystemExit(25)"], check=True),
    "absent program": lambda: subprocess.run(["no-such-program"], check=True),
    "json": lambda: json.loads("{"),
    "yaml": lambda: yaml.safe_load("[1"),
    "type": lambda: len(3),  # type: ignore[arg-type]
    "attribute": lambda: HERE.nothing,  # type: ignore[attr-defined]
    "index": lambda: HERE.parts[99],
    "key": lambda: dict[str, str]()["q45"],
    "division": lambda: 1 / 0,
    "overflow": lambda: np.zeros(1, dtype=np.int8).fill(10**30),
    "text": "\ud83d".encode,
    "depth": _deep,
    "memory": lambda: np.empty(1 << 62, dtype=np.int8),
    "end": lambda: np.load(os.devnull),
    "shape": lambda: np.zeros(3) + np.zeros(4),
    "absent": lambda: Path("no/such/file").read_text(),
    "folder": HERE.parent.read_text,
    "long": lambda: Path("a" * 300).touch(),
    "module": lambda: __import__("no_such_module"),
    "interrupted": _interrupted,
    "interrupted in training": _interrupted_as_lightning_is,
    "unread": _unread,
}


class Failing:
    """A task that cannot be read."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    @property
    def name(self) -> str:
        return "failing"

    @property
    def measure(self) -> Measure:
        return "em"

    def source(self) -> KnowledgeSource:
        """Fail."""
        KINDS[self.kind]()
        raise AssertionError("it did not fail")

    def examples(self, split: str) -> Sequence[Example]:
        """Fail."""
        KINDS[self.kind]()
        raise AssertionError("it did not fail")

"""A disk that takes no more is named, with what was wanted and what is free, whichever library met it."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import signal
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import faiss
import numpy as np
import pyarrow as pa
import pytest
import safetensors.numpy

from reml.devices.disk import DiskFullError, full, is_full, save_array, taken_array, written
from reml.files.atomic import atomic_file, atomic_folder, write_json
from reml.files.record_log import RecordLog

LIMIT = 1 << 16
VALUES = np.arange(1 << 17, dtype=np.float32)


@contextmanager
def short_files() -> Iterator[None]:
    """Let no file grow beyond a limit: what a full disk does, without one."""
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
        signal.signal(signal.SIGXFSZ, ignored)


def _faiss(path: Path) -> None:
    index = faiss.IndexFlat(64)
    index.add(VALUES.reshape(-1, 64))
    faiss.write_index(index, str(path))


def _arrow(path: Path) -> None:
    table = pa.table({"values": VALUES})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("values", VALUES.tobytes())


def _copy(path: Path) -> None:
    source = path.parent / "source"
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    source.write_bytes(VALUES.tobytes())
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    shutil.copyfile(source, path)


WRITERS: dict[str, Callable[[Path], object]] = {
    "numpy": lambda path: np.save(path.with_suffix(".npy"), VALUES),
    "numpy, to an open file": lambda path: np.save(path.open("wb"), VALUES),
    "numpy, several": lambda path: np.savez(path.with_suffix(".npz"), values=VALUES),
    "numpy, bytes": VALUES.tofile,
    "safetensors": lambda path: safetensors.numpy.save_file({"values": VALUES}, path),
    "arrow": _arrow,
    "faiss": _faiss,
    "zip": _zip,
    "bytes": lambda path: path.write_bytes(VALUES.tobytes()),
    "text": lambda path: path.write_text("a" * 4 * len(VALUES)),
    "json": lambda path: path.write_text(json.dumps(VALUES.tolist())),
    "copy": _copy,
}


@pytest.mark.parametrize("library", WRITERS)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_whatever_library_writes_the_place_is_named(library: str, tmp_path: Path) -> None:
    final = tmp_path / "made"
    said = r"File too large while writing to .*made: .*ulimit -f.*run again"
    with pytest.raises(DiskFullError, match=said), short_files(), atomic_folder(final) as draft:
        WRITERS[library](draft / "values")
    assert not final.exists()


def test_the_length_of_an_array_is_said(tmp_path: Path) -> None:
    with short_files(), pytest.raises(DiskFullError, match=r"it needs 524,288 bytes and a file may have 65,536 "):
        save_array(tmp_path / "values.npy", VALUES, tmp_path)
    save_array(tmp_path / "values.npy", VALUES, tmp_path)
    np.testing.assert_array_equal(np.load(tmp_path / "values.npy"), VALUES)


def test_files_and_logs_are_named(tmp_path: Path) -> None:
    with short_files():
        with pytest.raises(DiskFullError, match=r"writing to .*a\.json: "):
            write_json(tmp_path / "a.json", "a" * 2 * LIMIT)
        with pytest.raises(DiskFullError, match=r"writing to .*b: "), atomic_file(tmp_path / "b") as draft:
            draft.write_bytes(bytes(2 * LIMIT))
        with pytest.raises(DiskFullError, match=r"writing to .*batches\.jsonl: "):
            RecordLog(tmp_path / "batches.jsonl").append("a" * 2 * LIMIT)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(28, "No space left on device"), True),
        (OSError(122, "Disk quota exceeded"), True),
        (OSError(27, "File too large"), True),
        (OSError("358423 requested and 36832 written"), True),
        (RuntimeError("Error in write: (No space left on device)"), True),
        (OSError(13, "Permission denied"), False),
        (ValueError("3 requested and given"), False),
        (RuntimeError("no"), False),
    ],
)
def test_what_says_that_a_disk_is_full(error: Exception, expected: bool) -> None:
    assert is_full(error) is expected


def test_what_is_free_is_said_of_a_place_that_is_not_there_yet(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    said = full(tmp_path / "a" / "b", 1 << 60)
    place = tmp_path / "a" / "b"
    assert said.startswith(
        f"No space left on device while writing to {place}: it needs 1,152,921,504,606,846,976 bytes"
    )
    assert int(said.split(" bytes and ")[1].split()[0].replace(",", "")) == pytest.approx(free, rel=0.2)
    assert "--home or REML_HOME" in said


def test_other_errors_pass_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), written(tmp_path):
        (tmp_path / "absent").stat()


def test_a_mapped_array_has_all_of_its_space_and_is_what_numpy_reads(tmp_path: Path) -> None:
    made = taken_array(tmp_path / "a.npy", np.int32, (300, 1000), tmp_path)
    assert (tmp_path / "a.npy").stat().st_blocks * 512 >= made.nbytes, "a file with holes"
    assert not made.any()
    made[:] = np.arange(1000)
    np.save(tmp_path / "b.npy", made)
    del made
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()
    with short_files(), pytest.raises(DiskFullError, match="it needs 1,200,000 bytes and"):
        taken_array(tmp_path / "c.npy", np.int32, (300, 1000), tmp_path)


def test_an_error_of_the_system_names_the_file_that_was_written(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="metrics") as raised, written(tmp_path / "metrics.csv"):
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    assert raised.value.filename == str(tmp_path / "metrics.csv")
    with pytest.raises(OSError, match="other"), written(tmp_path / "metrics.csv"):
        raise OSError(errno.EIO, os.strerror(errno.EIO), "other")

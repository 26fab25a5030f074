"""What an index says of files that are not what was written, and of what is no damage."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from reml.contract.vectors import DenseVectors
from reml.devices.disk import DiskFullError
from reml.files.atomic import MANIFEST, CorruptError, StaleError
from reml.index.faiss import FaissIndex
from reml.index.impact import ImpactIndex
from tests import ROOT
from tests.damage import flip
from tests.devices.test_disk import short_files
from tests.index.vectors import assert_same, brute_force, random_matrix, sparse

WIDTH, ROWS = 30, np.arange(600, dtype=np.int64)
MATRIX, ASKED = random_matrix(600, WIDTH, density=0.2, seed=5), random_matrix(8, WIDTH, density=0.3, seed=6)
VECTORS = DenseVectors(np.random.default_rng(1).standard_normal((50, 8)).astype(np.float32))


def built(folder: Path, count: int = 600) -> ImpactIndex:
    return ImpactIndex.build(folder, WIDTH, [(ROWS[:count], sparse(MATRIX[:count]))])


def saved(folder: Path, similarity: str = "dot") -> FaissIndex:
    index = FaissIndex(8, similarity=similarity)  # type: ignore[arg-type]
    index.add(np.arange(50), VECTORS)
    index.save(folder)
    return index


def edit(folder: Path, change: Callable[[dict[str, object]], None]) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    change(manifest)
    manifest.pop("signature", None)  # as of a former version
    (folder / MANIFEST).write_text(json.dumps(manifest))


def test_a_flipped_bit_is_told_when_it_is_opened_and_nothing_is_to_be_deleted(tmp_path: Path) -> None:
    built(tmp_path / "impact")
    saved(tmp_path / "faiss")
    for folder, name, opened in (
        (tmp_path / "impact", "segment-*/impacts.npy", ImpactIndex.open),
        (tmp_path / "faiss", "vectors.faiss", FaissIndex.open),
    ):
        flip(next(folder.glob(name)), -1)
        with pytest.raises(CorruptError, match=r"is not what was written\. The index in .* has to be built") as told:
            opened(folder)
        assert "elete" not in str(told.value), "what was added to it may be nowhere else"


def test_what_was_appended_and_deleted_is_on_record_too(tmp_path: Path) -> None:
    index = built(tmp_path / "index", 500)
    index.add(ROWS[500:], sparse(MATRIX[500:]))
    index.delete(ROWS[:3])
    index.commit()
    index.verify()
    assert len(ImpactIndex.open(tmp_path / "index")) == 597
    for file in [*(tmp_path / "index").glob("segment-*/*.npy"), *(tmp_path / "index").glob("*-deleted-*.npy")]:
        flip(file, -1)
        with pytest.raises(CorruptError, match=file.name):
            ImpactIndex.open(tmp_path / "index")
        flip(file, -1)
    ImpactIndex.open(tmp_path / "index").verify()


def test_verify_beside_a_writer_that_sweeps_looks_at_what_came_after(tmp_path: Path) -> None:
    writer = built(tmp_path / "index", 400)
    before = ImpactIndex.open(tmp_path / "index")
    writer.add(ROWS[400:], sparse(MATRIX[400:]))
    writer.merge()
    writer.commit()
    before.verify()
    flip(next((tmp_path / "index").glob("segment-*/impacts.npy")), -1)
    with pytest.raises(CorruptError, match=r"impacts\.npy is not what was written"):
        before.verify()
    shutil.rmtree(next((tmp_path / "index").glob("segment-*")))
    with pytest.raises(CorruptError, match="is missing"):
        before.verify()


@contextmanager
def few_descriptors(left: int) -> Iterator[None]:
    """Let no more than so many files be opened."""
    former, held = resource.getrlimit(resource.RLIMIT_NOFILE), list[int]()
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + 200, former[1]))
    with suppress(OSError):
        while True:
            held.append(os.open("/dev/null", os.O_RDONLY))
    for _ in range(left):
        os.close(held.pop())
    try:
        yield
    finally:
        for handle in held:
            os.close(handle)
        resource.setrlimit(resource.RLIMIT_NOFILE, former)


@pytest.mark.parametrize("left", [0, 1, 3])
def test_too_many_open_files_is_no_damage(left: int, tmp_path: Path) -> None:
    built(tmp_path / "index")
    with few_descriptors(left), pytest.raises(OSError, match="Too many open files") as told:
        ImpactIndex.open(tmp_path / "index")
    assert told.value.errno == errno.EMFILE


def test_an_index_of_a_former_version_opens(tmp_path: Path) -> None:
    made = saved(tmp_path / "index")
    edit(tmp_path / "index", lambda manifest: [manifest.pop(name) for name in ("files", "made", "similarity")])  # type: ignore[arg-type]
    assert_same(FaissIndex.open(tmp_path / "index").search(VECTORS, 5), made.search(VECTORS, 5))


@pytest.mark.parametrize("policy", ["first", "never"])
def test_what_a_manifest_says_of_its_vectors_is_on_record(
    policy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REML_VERIFY", policy)
    saved(tmp_path / "index", "cosine")
    edit(tmp_path / "index", lambda manifest: manifest.update(similarity="dot"))
    with pytest.raises(CorruptError, match=r"manifest\.json is not what was written"):
        FaissIndex.open(tmp_path / "index")


def test_a_list_that_names_a_vector_there_is_not_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REML_VERIFY", "never")
    index = FaissIndex(8, "IVF1,Flat")
    index.add(np.arange(50), VECTORS)
    index.save(tmp_path / "index")
    file = tmp_path / "index" / "vectors.faiss"
    place = file.read_bytes().index(np.arange(50).tobytes())
    flip(file, place + 8 * 7 + 2)  # of the 8th vector, 65536 more
    with pytest.raises(CorruptError, match="names vectors that it does not have"):
        FaissIndex.open(tmp_path / "index").search(VECTORS, 50)


def test_rows_that_do_not_fit_the_vectors_are_told_whatever_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REML_VERIFY", "never")
    saved(tmp_path / "index")
    edit(tmp_path / "index", lambda manifest: manifest.pop("files"))  # type: ignore[arg-type]
    np.save(tmp_path / "index" / "rows.npy", np.arange(49))
    with pytest.raises(CorruptError, match="is not what was written"):
        FaissIndex.open(tmp_path / "index")


def test_vectors_of_another_index_do_not_get_the_rows_of_this_one(tmp_path: Path) -> None:
    """What is mapped is read into memory when it grows: by then another index may have its name."""
    saved(tmp_path / "index")
    opened = FaissIndex.open(tmp_path / "index")
    saved(tmp_path / "index")
    with pytest.raises(StaleError, match="open it again"):
        opened.add(np.array([70]), VECTORS.__class__(VECTORS.values[:1]))


def test_arrays_of_another_form_are_told_whatever_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REML_VERIFY", "never")
    built(tmp_path / "index")
    slots = next((tmp_path / "index").glob("segment-*/slots.npy"))
    edit(tmp_path / "index", lambda manifest: manifest.update(width=WIDTH + 1))
    with pytest.raises(CorruptError, match=r"starts\.npy holds int64 \(31,\) where int64 \(32,\) was written"):
        ImpactIndex.open(tmp_path / "index")
    edit(tmp_path / "index", lambda manifest: manifest.update(width=WIDTH))
    content = slots.read_bytes()
    slots.write_bytes(content.replace(b"<i4", b"<u4"))
    with pytest.raises(CorruptError, match=r"slots\.npy holds uint32"):
        ImpactIndex.open(tmp_path / "index")


def test_damaged_postings_are_not_merged_into_sound_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REML_VERIFY", "never")
    built(tmp_path / "index", 500)
    flip(next((tmp_path / "index").glob("segment-*/positions.npy")), -1)
    index = ImpactIndex.open(tmp_path / "index")
    index.add(ROWS[500:], sparse(MATRIX[500:]))
    with pytest.raises(CorruptError, match=r"the postings in .* are not what was written"):
        index.merge()


def test_a_disk_that_is_full_costs_nothing_that_was_there(tmp_path: Path) -> None:
    size = 40_000
    rows, matrix = np.arange(size, dtype=np.int64), random_matrix(size, 8, density=0.4, seed=7)
    index = ImpactIndex.build(tmp_path / "index", 8, [(rows[:600], sparse(matrix[:600]))])
    queries = random_matrix(3, 8, density=0.5, seed=8)
    index.add(rows[600:], sparse(matrix[600:]))
    with short_files(), pytest.raises(DiskFullError, match=r"segment-\w+: it needs [\d,]+ bytes"):
        index.search(sparse(queries), 5)
    assert len(index) == size, "what was added waits until there is room"
    assert_same(index.search(sparse(queries), 5), brute_force(queries, matrix, rows, 5))
    with short_files(), pytest.raises(DiskFullError, match=r"segment-\w+: it needs [\d,]+ bytes"):
        index.merge()
    assert_same(index.search(sparse(queries), 5), brute_force(queries, matrix, rows, 5))
    assert len(ImpactIndex.open(tmp_path / "index")) == 600


MERGING = """
import sys
import numpy as np
from pathlib import Path
from reml.devices.disk import DiskFullError
from reml.index.impact import ImpactIndex
from tests.index.vectors import random_matrix, sparse

rows, matrix = np.arange(9_000), random_matrix(9_000, 60, density=0.5, seed=1)
index = ImpactIndex.build(Path(sys.argv[1]), 60, [(rows[:3000], sparse(matrix[:3000]))])
for part in (slice(3000, 6000), slice(6000, 9000)):
    index.add(rows[part], sparse(matrix[part]))
    index.commit()
try:
    index.merge()
except DiskFullError as error:
    print(error)
assert len(ImpactIndex.open(Path(sys.argv[1]))) == 9000
"""


def test_a_merge_on_a_full_disk_is_told(tmp_path: Path) -> None:
    """Of mapped files that have holes a full disk ends the process (SIGBUS)."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=False).returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        command = [sys.executable, "-c", MERGING, str(disk / "index")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    finally:
        subprocess.run(["umount", disk], check=True)
    assert done.returncode == 0, done.stderr
    assert "No space left on device while writing to" in done.stdout
    assert "it needs" in done.stdout

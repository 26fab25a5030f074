from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from reml.files.atomic import home
from reml.files.fetching.downloads import DownloadError, Patience, Remote
from reml.kilt.catalogue import Dataset, KiltFile, dataset
from reml.kilt.files import find_split, kilt_folder, obtain_split, require_pages, require_split
from tests.failing_server import FailingServer, answer, serving, whole
from tests.kilt.archives import triviaqa_archive

LINE = b'{"id": "q1", "input": "who?", "output": [{"answer": "me"}]}\n'
BRIEF = Patience(attempts=2, wait_seconds=0.001, timeout_seconds=0.5)


def served(server: FailingServer, like: Dataset, split: str, data: bytes) -> Dataset:
    """A dataset whose file is on the test's server."""
    known = like.file(split)
    url = server.url(known.remote.name)
    remote = Remote(url, len(data), hashlib.sha256(data).hexdigest())
    return replace(like, files={split: KiltFile(known.name, remote, 1)})


def test_the_default_folder_is_at_home(tmp_path: Path) -> None:
    assert kilt_folder() == home() / "kilt"
    assert kilt_folder(str(tmp_path)) == tmp_path


@pytest.mark.parametrize("name", ["nq-test_without_answers-kilt.jsonl", "nq-test-kilt.jsonl.gz"])
def test_a_file_is_found_plain_or_zipped_with_answers_or_without(name: str, tmp_path: Path) -> None:
    assert find_split(dataset("nq"), "test", tmp_path) is None
    (tmp_path / name).touch()
    assert find_split(dataset("nq"), "test", tmp_path) == tmp_path / name


def test_what_is_missing_names_the_command_that_fetches_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="reml prepare kilt --datasets nq --splits dev --folder"):
        require_split(dataset("nq"), "dev", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"37,318,876,722 bytes\) by: reml prepare kilt --pages fetch"):
        require_pages(tmp_path)


def test_what_is_there_is_not_fetched(tmp_path: Path) -> None:
    path = tmp_path / "nq-dev-kilt.jsonl.gz"
    path.write_bytes(gzip.compress(LINE))
    with serving(LINE, answer(404)) as server:
        assert obtain_split(served(server, dataset("nq"), "dev", LINE), "dev", tmp_path) == path
        assert not server.ranges


def test_what_is_missing_is_fetched(tmp_path: Path) -> None:
    with serving(LINE, answer(503), whole) as server:
        path = obtain_split(served(server, dataset("nq"), "dev", LINE), "dev", tmp_path, patience=BRIEF)
    assert path == tmp_path / "nq-dev-kilt.jsonl"
    assert path.read_bytes() == LINE


def test_triviaqa_is_fetched_and_joined(tmp_path: Path) -> None:
    lines = b'{"id": "tc_1", "output": [{"answer": "me"}]}\n'
    archive = triviaqa_archive(tmp_path / "triviaqa-rc.tar.gz", dev={"tc_1": "Who was it?"})
    with serving(lines, whole) as server:
        known = served(server, dataset("triviaqa"), "dev", lines)
        path = obtain_split(known, "dev", tmp_path, patience=BRIEF, questions=Remote(server.url(archive.name)))
        assert len(server.ranges) == 1, "the archive was there"
    assert path.name == "triviaqa-dev-kilt.jsonl"
    assert json.loads(path.read_text()) == {"id": "tc_1", "input": "Who was it?", "output": [{"answer": "me"}]}


def test_a_file_that_changed_on_the_server_is_refused(tmp_path: Path) -> None:
    with serving(LINE + LINE, whole) as server, pytest.raises(DownloadError, match="another file"):
        obtain_split(served(server, dataset("nq"), "dev", LINE), "dev", tmp_path, patience=BRIEF)
    assert find_split(dataset("nq"), "dev", tmp_path) is None

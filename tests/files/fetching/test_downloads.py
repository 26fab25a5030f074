"""Downloads against a local server that fails in every way real ones do."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import random
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from reml.files.atomic import CorruptError, LockedError
from reml.files.fetching.downloads import DownloadError, Patience, Remote, fetch
from reml.files.fetching.http_transfer import Part
from tests.failing_server import FailingServer, Handler, answer, part_of, serving, stall, whole, without_ranges

DATA = random.Random(0).randbytes(300_000)
BRIEF = Patience(attempts=3, wait_seconds=0.001, timeout_seconds=0.2)


def known(server: FailingServer, data: bytes = DATA) -> Remote:
    return Remote(server.url(), len(data), hashlib.sha256(data).hexdigest())


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_comes_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    with serving(DATA, whole) as server:
        fetch(known(server), tmp_path / "deep" / "data.bin", BRIEF)
        assert (tmp_path / "deep" / "data.bin").read_bytes() == DATA
        assert left(tmp_path / "deep") == {"data.bin"}
        fetch(known(server), tmp_path / "deep" / "data.bin", BRIEF)
        assert len(server.ranges) == 1, "what is there is not fetched again"


def test_a_connection_that_breaks_is_taken_up_where_it_broke(tmp_path: Path) -> None:
    with serving(DATA, *[part_of(70_000)] * 4, whole) as server:
        fetch(known(server), tmp_path / "data.bin", BRIEF)
        assert (tmp_path / "data.bin").read_bytes() == DATA
        assert server.ranges == [None, *(f"bytes={count}-" for count in (70_000, 140_000, 210_000, 280_000))]


def test_the_next_run_goes_on_where_this_one_gave_up(tmp_path: Path) -> None:
    with serving(DATA, part_of(100_000), answer(503)) as server:
        with pytest.raises(DownloadError, match=r"503 .*100,000 bytes of it are kept: the same command goes on"):
            fetch(known(server), tmp_path / "data.bin", BRIEF)
        assert not (tmp_path / "data.bin").exists()
        server.behaviours = [whole]
        fetch(known(server), tmp_path / "data.bin", BRIEF)
        assert server.ranges[-1] == "bytes=100000-"
        assert (tmp_path / "data.bin").read_bytes() == DATA


def test_a_killed_process_is_taken_up_where_it_was(tmp_path: Path) -> None:
    part = tmp_path / ".data.bin.part"
    with serving(DATA, stall(30, 200_000), whole) as server:
        program = (
            "import sys; from pathlib import Path; from reml.files.fetching.downloads import Remote, fetch; "
            "fetch(Remote(sys.argv[1], int(sys.argv[2]), sys.argv[3]), Path(sys.argv[4]))"
        )
        remote = known(server)
        given = (remote.url, str(remote.size), str(remote.sha256), str(tmp_path / "data.bin"))
        with subprocess.Popen([sys.executable, "-c", program, *given]) as process:
            while process.poll() is None and not (part.is_file() and part.stat().st_size > 100_000):
                time.sleep(0.01)
            process.kill()
        assert part.stat().st_size > 100_000, "it was in the middle"
        fetch(remote, tmp_path / "data.bin", BRIEF)
        assert int((server.ranges[-1] or "bytes=0-")[6:-1]) > 100_000
    assert (tmp_path / "data.bin").read_bytes() == DATA
    assert left(tmp_path) == {"data.bin"}


def test_a_file_that_changed_meanwhile_is_begun_anew(tmp_path: Path) -> None:
    with serving(DATA, part_of(100_000), answer(503)) as server:
        remote = Remote(server.url())  # neither size nor checksum is known
        with pytest.raises(DownloadError):
            fetch(remote, tmp_path / "data.bin", BRIEF)
        server.data, server.tag, server.behaviours = DATA[::-1], '"second"', [whole]
        fetch(remote, tmp_path / "data.bin", BRIEF)
    assert (tmp_path / "data.bin").read_bytes() == DATA[::-1]


def test_a_server_without_ranges_and_validators_is_asked_anew(tmp_path: Path) -> None:
    with serving(DATA, without_ranges(5000), without_ranges(None)) as server:
        fetch(known(server), tmp_path / "data.bin", BRIEF)
    assert (tmp_path / "data.bin").read_bytes() == DATA


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_a_failure_that_passes_is_survived(status: int, tmp_path: Path) -> None:
    with serving(DATA, answer(status), answer(status), whole) as server:
        fetch(known(server), tmp_path / "data.bin", BRIEF)
        assert len(server.ranges) == 3
    assert (tmp_path / "data.bin").read_bytes() == DATA


def test_a_server_that_stays_broken_is_given_up_after_the_attempts(tmp_path: Path) -> None:
    with serving(DATA, answer(500)) as server:
        with pytest.raises(DownloadError, match=r"answered 500 .* put it at"):
            fetch(known(server), tmp_path / "data.bin", BRIEF)
        assert len(server.ranges) == BRIEF.attempts


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_file_that_is_not_there_is_asked_for_once(status: int, tmp_path: Path) -> None:
    with serving(DATA, answer(status)) as server:
        with pytest.raises(DownloadError, match=rf"answered {status} .*by other means and put it at .*data\.bin"):
            fetch(known(server), tmp_path / "data.bin", BRIEF)
        assert len(server.ranges) == 1
    assert not (tmp_path / "data.bin").exists()


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/octet-stream"])
def test_a_web_page_instead_of_data_is_told(kind: str, tmp_path: Path) -> None:
    page = answer(200, b"<!DOCTYPE html><title>Sign in</title>", Content_Type=kind)
    told = "is a web page, not data: it begins '<!DOCTYPE html>"
    with serving(DATA, page) as server, pytest.raises(DownloadError, match=told):
        fetch(Remote(server.url()), tmp_path / "data.bin", BRIEF)
    assert not (tmp_path / "data.bin").exists()


def test_a_body_that_is_packed_on_the_way_is_refused(tmp_path: Path) -> None:
    packed = answer(200, gzip.compress(DATA), Content_Encoding="gzip")
    with serving(DATA, packed) as server, pytest.raises(DownloadError, match="packed, though asked not to"):
        fetch(Remote(server.url()), tmp_path / "data.bin", BRIEF)


def test_a_server_that_stops_sending_is_left_and_asked_again(tmp_path: Path) -> None:
    with serving(DATA, stall(0.6), whole) as server:
        fetch(known(server), tmp_path / "data.bin", BRIEF)
        assert server.ranges == [None, "bytes=10-"]
    with serving(DATA, stall(0.6)) as server, pytest.raises(DownloadError, match=r"sent nothing for 0\.2 seconds"):
        fetch(known(server), tmp_path / "other.bin", BRIEF)


@pytest.mark.parametrize("sent", [DATA[:-1], DATA + b"x"])
def test_a_promised_length_that_is_not_the_known_one_is_told_before_anything_is_fetched(
    sent: bytes, tmp_path: Path
) -> None:
    told = rf"has {len(sent):,} bytes where 300,000 are known"
    with serving(sent, whole) as server, pytest.raises(DownloadError, match=told):
        fetch(known(server), tmp_path / "data.bin", BRIEF)


@pytest.mark.parametrize(
    ("sent", "told"), [(DATA[:-1], "sent 299,999 of 300,000"), (DATA + b"x", "sent 300,001 bytes")]
)
def test_a_wrong_length_without_a_promise_is_told(sent: bytes, told: str, tmp_path: Path) -> None:
    with serving(DATA, answer(200, sent)) as server, pytest.raises(DownloadError, match=told):
        fetch(known(server), tmp_path / "data.bin", BRIEF)
    assert not (tmp_path / "data.bin").exists()


def test_a_wrong_checksum_is_tried_once_more_and_then_told(tmp_path: Path) -> None:
    wrong = b"x" + DATA[1:]
    with serving(DATA, answer(200, wrong), whole) as server:
        fetch(known(server), tmp_path / "data.bin", BRIEF)
    assert (tmp_path / "data.bin").read_bytes() == DATA
    with serving(wrong, whole) as server:
        with pytest.raises(DownloadError, match=r"came twice and its SHA-256 is \w{64}, not \w{64}"):
            fetch(known(server), tmp_path / "other.bin", BRIEF)
        assert len(server.ranges) == 2
    assert not (tmp_path / "other.bin").exists()


def test_a_gzip_cut_short_is_told_without_a_checksum(tmp_path: Path) -> None:
    zipped = gzip.compress(DATA)
    cut = answer(200, zipped[:-20])
    with serving(zipped, cut) as server, pytest.raises(DownloadError, match="is no whole gzip file"):
        fetch(Remote(server.url("data.jsonl.gz")), tmp_path / "data.jsonl.gz", BRIEF)
    with serving(zipped, cut, answer(200, zipped)) as server:
        fetch(Remote(server.url("data.jsonl.gz")), tmp_path / "data.jsonl.gz", BRIEF)
    assert gzip.decompress((tmp_path / "data.jsonl.gz").read_bytes()) == DATA


def test_a_machine_that_is_offline_is_told_so(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/data.bin"
        with pytest.raises(DownloadError, match=r"cannot be reached .*is this machine offline\?.*put it at"):
            fetch(Remote(url), tmp_path / "data.bin", BRIEF)


def test_no_address_is_told(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="cannot be asked for"):
        fetch(Remote("nowhere/data.bin"), tmp_path / "data.bin", BRIEF)


def test_another_file_in_its_place_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(b"mine")
    with serving(DATA, whole) as server, pytest.raises(CorruptError, match=r"has 4 bytes where .* has 300,000"):
        fetch(known(server), tmp_path / "data.bin", BRIEF)
    assert (tmp_path / "data.bin").read_bytes() == b"mine"


def test_two_processes_do_not_write_one_file(tmp_path: Path) -> None:
    with serving(DATA, whole) as server:
        part = Part(known(server), tmp_path / "data.bin")
        with pytest.raises(LockedError, match="another process is fetching"):
            fetch(known(server), tmp_path / "data.bin", BRIEF)
        part.close()
        fetch(known(server), tmp_path / "data.bin", BRIEF)


def test_a_disk_without_room_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"bytes free and data\.bin needs"):
        fetch(Remote("http://127.0.0.1:9/data.bin", size=1 << 60), tmp_path / "data.bin", BRIEF)


def test_waits_double_and_end_at_a_minute() -> None:
    waits = [Patience(wait_seconds=1).wait(failures, 0) for failures in (1, 2, 3, 20)]
    assert 1 <= waits[0] <= 1.25
    assert 2 <= waits[1] <= 2.5
    assert 4 <= waits[2] <= 5
    assert waits[3] == 60
    assert Patience(wait_seconds=1).wait(1, asked=30) == 30


def test_a_server_that_sends_on_and_on_is_stopped_at_the_known_size(tmp_path: Path) -> None:
    sent = []

    def endless(handler: Handler) -> None:
        handler.head(200)  # without a Content-Length, at which HTTP itself would end
        with contextlib.suppress(OSError):  # the other side hangs up
            for _ in range(2000):
                handler.wfile.write(DATA)
                sent.append(len(DATA))

    with serving(DATA, endless) as server:
        with pytest.raises(DownloadError, match=r"bytes or more where 1,000 are known: it is another file"):
            fetch(Remote(server.url(), 1000), tmp_path / "data.bin", BRIEF)
        assert sum(sent) < 100_000_000, "600 MB were to come"
    assert (tmp_path / ".data.bin.part").stat().st_size == 0


def test_who_is_asked_over_https_sends_nobody_on_to_http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answered(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/data.bin":
            return httpx2.Response(302, headers={"Location": request.url.params["to"]})
        return httpx2.Response(200, stream=httpx2.ByteStream(DATA))

    real = httpx2.Client

    def client(**given: Any) -> httpx2.Client:
        return real(transport=httpx2.MockTransport(answered), **given)

    monkeypatch.setattr(httpx2, "Client", client)
    unsafe = "https://first.example/data.bin?to=http://second.example/else"
    with pytest.raises(DownloadError, match=r"sends on to http://second\.example/else, which is not https"):
        fetch(Remote(unsafe), tmp_path / "unsafe", BRIEF)
    assert not (tmp_path / "unsafe").exists()
    for number, (before, after) in enumerate([("https", "https"), ("http", "http"), ("http", "https")]):
        asked = f"{before}://first.example/data.bin?to={after}://second.example/else"
        assert fetch(Remote(asked), tmp_path / str(number), BRIEF).read_bytes() == DATA


def test_the_folder_is_synced_after_the_file_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, synced = os.fsync, []

    def fsync(handle: int) -> None:
        synced.append((Path(f"/proc/self/fd/{handle}").readlink(), (tmp_path / "data.bin").exists()))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with serving(DATA, whole) as server:
        fetch(known(server), tmp_path / "data.bin", BRIEF)
    assert synced[-1] == (tmp_path, True)

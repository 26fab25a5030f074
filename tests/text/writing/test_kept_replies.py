from __future__ import annotations

from pathlib import Path

import pytest

from reml.contract.examples import Json
from reml.text.writing.kept_replies import KeptReplies
from tests.dying import dies

REPLIES: dict[str, Json] = {"one": {"text": "né\n"}, "two": [1.5, None], "three": "x"}


@pytest.fixture
def kept(tmp_path: Path) -> KeptReplies:
    kept = KeptReplies(tmp_path / "kept")
    assert kept.find(["one"]) == {}
    for key, reply in REPLIES.items():
        kept.add(key, reply)
    return kept


def test_gives_what_was_kept(kept: KeptReplies, tmp_path: Path) -> None:
    for one in (kept, KeptReplies(tmp_path / "kept")):
        assert one.find(["three", "one", "four"]) == {"three": "x", "one": REPLIES["one"]}


def test_another_process_adds_meanwhile(kept: KeptReplies, tmp_path: Path) -> None:
    assert kept.find(REPLIES) == REPLIES
    KeptReplies(tmp_path / "kept").add("four", 4)
    assert kept.find(["four", "one"]) == {"four": 4, "one": REPLIES["one"]}


def test_a_line_cut_anywhere_costs_that_reply_alone(kept: KeptReplies, tmp_path: Path) -> None:
    path = tmp_path / "kept" / "replies.log"
    whole = path.read_bytes()
    third = whole.rindex(b"\n", 0, -1) + 1
    for cut in range(third, len(whole)):
        path.write_bytes(whole[:cut])
        again = KeptReplies(tmp_path / "kept")
        assert again.find(REPLIES) == {"one": REPLIES["one"], "two": REPLIES["two"]}
        again.add("three", "y")
        again.add("four", 4)
        for one in (again, KeptReplies(tmp_path / "kept")):
            assert one.find([*REPLIES, "four"]) == {**REPLIES, "three": "y", "four": 4}


def test_a_damaged_line_costs_that_reply_alone(kept: KeptReplies, tmp_path: Path) -> None:
    path = tmp_path / "kept" / "replies.log"
    path.write_bytes(path.read_bytes().replace(b"1.5", b"1.6"))
    assert KeptReplies(tmp_path / "kept").find(REPLIES) == {"one": REPLIES["one"], "three": "x"}
    path.unlink()
    assert kept.find(REPLIES) == {}
    kept.add("one", "new")
    assert kept.find(REPLIES) == {"one": "new"}


def _adds(folder: Path) -> None:
    kept = KeptReplies(folder / "kept")
    for key, reply in REPLIES.items():
        kept.add(key, reply)


def test_killed_at_any_instant_it_goes_on(tmp_path: Path) -> None:
    for instant in range(1, 40):
        folder = tmp_path / str(instant)
        folder.mkdir()
        died = dies(_adds, folder, instant)
        found = KeptReplies(folder / "kept").find(REPLIES)
        assert list(found.items()) == list(REPLIES.items())[: len(found)]
        _adds(folder)
        assert KeptReplies(folder / "kept").find(REPLIES) == REPLIES
        if not died:
            break
    assert not died
    assert instant > 6

"""Whatever bytes a file holds, each reader gives texts or says in a sentence, with the file's name, what is wrong."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.files.test_every_reader import READERS, TEXTS

PIECES = (
    [bytes([byte]) for byte in b'\0\t\n\r\x1a"\\,:{}[]0eN\x7f\x80\xed\xf0\xff']
    + [b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"NaN", b"1e999", b"null", b'""', b"\r\n"]
    + [b'{"a": 1}', b"[", b"\x1f\x8b", b"PK\x03\x04", "\u2028".encode(), b" " * 40, b"-" * 40]
)
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from([0, 0, 1, 3, 30, 10_000]), st.sampled_from([b"", *PIECES])), max_size=4
)


@pytest.mark.parametrize("name", READERS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(edits=EDITS, zipped=st.booleans(), late=st.booleans())
def test_mutated_bytes_are_texts_or_a_sentence(
    name: str, edits: list[tuple[float, int, bytes]], zipped: bool, late: bool, tmp_path: Path
) -> None:
    """Each edit takes bytes out at a place and puts others in; before the file is zipped, or after."""
    data = READERS[name].content(*TEXTS)
    data = gzip.compress(data) if zipped and late else data
    for where, out, put in edits:
        place = int(where * len(data))
        data = data[:place] + put + data[place + out :]
    path = tmp_path / "mutated.data"
    path.write_bytes(gzip.compress(data) if zipped and not late else data)
    texts, told = result(name, path)
    assert told == "" or "mutated.data" in told
    assert all(isinstance(text, str) and text.encode().decode() == text for text in texts)


def result(name: str, path: Path) -> tuple[list[str], str]:
    """Give the texts, and what is said instead of them."""
    try:
        return READERS[name].read(path), ""
    except (ValueError, RuntimeError) as error:
        return [], str(error)

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.collection.sources.kilt_pages import JsonlPages, write_pages
from reml.contract.collections import KnowledgeSource
from reml.contract.examples import Page
from reml.files.atomic import CorruptError
from reml.testing import KnowledgeSourceContract
from tests.damage import flip

_CHAD = Page("1", "Chad", ("Chad\n", "Chad is a country.\n"))
_TOGO = Page("2", "Togo – \u202eאב", ("Togo – \u202eאב\n", "e\u0301 é \u200b 😀 \u2028 x\n"))
_GOOD = '{"_id": "1", "wikipedia_id": "1", "wikipedia_title": "Chad", "text": ["Chad\\n"], "anchors": []}'


def _read(tmp_path: Path, *lines: str | bytes) -> list[Page]:
    path = tmp_path / "pages.jsonl"
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines))
    return list(JsonlPages(path).pages())


@pytest.mark.parametrize("name", ["pages.jsonl", "pages.jsonl.gz"])
def test_pages_come_back_as_they_were_written(tmp_path: Path, name: str) -> None:
    assert write_pages([_CHAD, _TOGO], tmp_path / name) == 2
    assert list(JsonlPages(tmp_path / name).pages()) == [_CHAD, _TOGO]


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


# A blank id is refused: where ids are compared, white space at their ends does not count.
_IDS = _TEXTS.filter(str.strip)


@given(pages=st.lists(st.builds(Page, _IDS, _TEXTS, st.lists(_TEXTS).map(lambda rest: ("T", *rest))), min_size=1))
def test_any_text_survives_a_line(tmp_path_factory: pytest.TempPathFactory, pages: list[Page]) -> None:
    path = tmp_path_factory.mktemp("source") / "pages.jsonl"
    write_pages(pages, path)
    assert list(JsonlPages(path).pages()) == pages


def test_the_same_pages_give_the_same_bytes_and_kilt_s_fields(tmp_path: Path) -> None:
    write_pages([_CHAD], tmp_path / "a.jsonl.gz")
    write_pages([_CHAD], tmp_path / "b.jsonl.gz")
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()
    record = json.loads(gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()))
    assert record == {
        "_id": "1",
        "wikipedia_id": "1",
        "wikipedia_title": "Chad",
        "text": ["Chad\n", _CHAD.paragraphs[1]],
    }


def test_writing_that_fails_leaves_the_former_file(tmp_path: Path) -> None:
    def failing() -> Iterator[Page]:
        yield _TOGO
        raise RuntimeError("no more")

    write_pages([_CHAD], tmp_path / "pages.jsonl")
    with pytest.raises(RuntimeError, match="no more"):
        write_pages(failing(), tmp_path / "pages.jsonl")
    assert list(JsonlPages(tmp_path / "pages.jsonl").pages()) == [_CHAD]
    assert [path.name for path in tmp_path.iterdir()] == ["pages.jsonl"]


def test_gzip_is_known_by_its_bytes_not_its_name(tmp_path: Path) -> None:
    (tmp_path / "pages").write_bytes(gzip.compress(_GOOD.encode()))
    assert [page.id for page in JsonlPages(tmp_path / "pages").pages()] == ["1"]


def test_blank_lines_are_skipped_and_numbers_as_ids_are_taken(tmp_path: Path) -> None:
    pages = _read(tmp_path, "", _GOOD, "  ", '{"_id": 12, "wikipedia_title": "T", "text": ["T"]}', "")
    assert [page.id for page in pages] == ["1", "12"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{oops", "not JSON .*character 2"),
        ('{"_id": "1", "wikipedia_title": "T"', "not JSON"),
        ("[1, 2]", "the page must be an object, not \\[1, 2\\]"),
        ("[" * 100_000, "nested too deeply"),
        (b'{"_id": "\xff"}', "utf-8"),
        ('{"_id": "1", "wikipedia_title": "T"}', "the page has no 'text'; its keys are"),
        (
            '{"_id": "1", "wikipedia_title": "T", "text": "T"}',
            r'text must be a list, not "T": write \["Title", "Paragraph."\]',
        ),
        ('{"_id": "1", "wikipedia_title": "T", "text": ["T", 3]}', r"text\[1\] must be a string, not 3"),
        ('{"_id": "1", "wikipedia_title": "T", "text": []}', "'text' is empty"),
        ('{"_id": "1", "wikipedia_title": "T", "text": ["\\n", " "]}', "'text' is empty"),
        ('{"wikipedia_title": "T", "text": ["T"]}', "'wikipedia_id' \\(or '_id'\\) must be a string; it is missing"),
        ('{"_id": "", "wikipedia_title": "T", "text": ["T"]}', "it is ''"),
        ('{"_id": true, "wikipedia_title": "T", "text": ["T"]}', "'_id' of the page must be .*, not true"),
        ('{"_id": "1", "text": ["T"]}', "the page has no 'wikipedia_title'"),
        ('{"_id": "1", "wikipedia_title": "T", "text": ["\\ud83d"]}', "stands alone"),
    ],
)
def test_a_line_that_is_no_page_is_named_with_its_number(tmp_path: Path, line: str | bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=f"pages.jsonl, line 3: .*{reason}"):
        _read(tmp_path, _GOOD, "", line, _GOOD)


def test_a_file_without_pages_says_so(tmp_path: Path) -> None:
    for lines in ([], ["", "  "]):
        with pytest.raises(ValueError, match=r"pages.jsonl is empty: one page a line is wanted \(docs/kilt.md\)"):
            _read(tmp_path, *lines)


def test_a_whole_surrogate_pair_is_one_character(tmp_path: Path) -> None:
    (page,) = _read(tmp_path, '{"_id": "1", "wikipedia_title": "T", "text": ["\\ud83d\\ude00"]}')
    assert page.paragraphs == ("😀",)


def test_a_line_of_many_megabytes_is_a_page(tmp_path: Path) -> None:
    text = "word " * 4_000_000
    (page,) = _read(tmp_path, json.dumps({"_id": "1", "wikipedia_title": "T", "text": ["T", text]}))
    assert page.paragraphs[1] == text


def test_a_gzip_cut_short_says_after_which_line(tmp_path: Path) -> None:
    path = tmp_path / "pages.jsonl.gz"
    numbers = [Page(str(number), "T", ("T", os.urandom(200).hex())) for number in range(50)]
    write_pages(numbers, path)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(CorruptError, match=r"pages.jsonl.gz is cut short or damaged after line \d+ .*Fetch"):
        list(JsonlPages(path).pages())


def test_a_flipped_byte_in_a_gzip_is_found(tmp_path: Path) -> None:
    path = tmp_path / "pages.jsonl.gz"
    write_pages([_CHAD, _TOGO], path)
    flip(path, -6)
    with pytest.raises(CorruptError, match="cut short or damaged after line 2"):
        list(JsonlPages(path).pages())


def test_a_missing_file_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no knowledge source at .*nowhere.jsonl"):
        JsonlPages(tmp_path / "nowhere.jsonl")


def test_the_real_pages_are_read_whole(shared: Path) -> None:
    source = JsonlPages(shared / "minikilt" / "knowledge_source.jsonl.gz")
    pages = list(source.pages())
    assert (len(pages), pages[0].title) == (30_409, '"Q" Is for Quarry')
    assert sum(len(page.paragraphs) - 1 for page in pages) == 46_229


class TestJsonlPages(KnowledgeSourceContract):
    @pytest.fixture(autouse=True)
    def _files(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        for name, pages in (("pages.jsonl", [_CHAD, _TOGO]), ("others.jsonl", [_TOGO, _CHAD])):
            write_pages(pages, tmp_path / name)

    def make(self) -> KnowledgeSource:
        return JsonlPages(self.folder / "pages.jsonl")

    def other(self) -> KnowledgeSource:
        return JsonlPages(self.folder / "others.jsonl")

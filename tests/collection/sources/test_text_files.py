from __future__ import annotations

import gzip
import json
import logging
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonargparse import ArgumentParser

from reml.collection.disk import build_collection
from reml.collection.sources.text_files import JsonlTexts, TsvTexts
from reml.contract.collections import KnowledgeSource
from reml.contract.examples import Page
from reml.files.atomic import CorruptError
from reml.files.lines import LineError
from reml.testing import KnowledgeSourceContract


def file(path: Path, text: str) -> str:
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return str(path)


@pytest.mark.parametrize("name", ["psgs_w100.tsv", "psgs_w100.tsv.gz"])
def test_dpr_s_passages(tmp_path: Path, name: str) -> None:
    path = file(tmp_path / name, 'id\ttext\ttitle\n1\t"He said ""no"" twice."\t"A ""B"""\n2\tPlain text.\tOslo\r\n')
    source = TsvTexts(path, header=True, quoted=True)
    assert list(source.pages()) == [
        Page("1", 'A "B"', ('A "B"', 'He said "no" twice.')),
        Page("2", "Oslo", ("Oslo", "Plain text.")),
    ]


def test_ms_marco_s_passages_and_documents(tmp_path: Path) -> None:
    passages = TsvTexts(file(tmp_path / "collection.tsv", '0\tA "quote.\n1\tB\n'), ["id", "text"])
    assert list(passages.pages()) == [Page("0", "", ("", 'A "quote.')), Page("1", "", ("", "B"))]
    documents = TsvTexts(file(tmp_path / "docs.tsv", "D1\thttp://x\tTitle\tBody\n"), ["id", "", "title", "text"])
    assert list(documents.pages()) == [Page("D1", "Title", ("Title", "Body"))]
    second = JsonlTexts(
        file(tmp_path / "v2.jsonl", '{"pid": "m_1", "passage": "P", "spans": ""}\n'), "pid", text="passage"
    )
    assert list(second.pages()) == [Page("m_1", "", ("", "P"))]


def test_beir_s_corpus_becomes_a_collection(tmp_path: Path) -> None:
    lines = '{"_id": "d1", "title": "T", "text": "one two three"}\n\n{"_id": 2, "text": "four", "metadata": {}}\n'
    source = JsonlTexts(file(tmp_path / "corpus.jsonl", lines))
    collection = build_collection(source, tmp_path / "passages", words=2)
    items = collection.get(collection.rows())
    assert [(item.page_id, item.title, item.text) for item in items] == [
        ("d1", "T", "one two"),
        ("d1", "T", "three"),
        ("2", "", "four"),
    ]


def test_a_record_with_a_title_alone_is_read_as_its_title_once(tmp_path: Path) -> None:
    records = [
        {"_id": "1", "title": "Oslo"},
        {"_id": "2", "text": "Oslo"},
        {"_id": "3", "title": "A", "text": "Oslo B"},
    ]
    records = [{"text": "", **record} for record in records]
    source = JsonlTexts(file(tmp_path / "corpus.jsonl", "\n".join(map(json.dumps, records))))
    collection = build_collection(source, tmp_path / "documents", words=None)
    items = collection.get(collection.rows())
    assert [item.full_text() for item in items] == ["Oslo", "Oslo", "A Oslo B"]
    assert [item.full_text(title=False) for item in items] == ["", "Oslo", "Oslo B"]
    assert [(item.page_id, item.title, item.text) for item in items] == [
        ("1", "Oslo", ""),
        ("2", "", "Oslo"),
        ("3", "A", "Oslo B"),
    ]


def test_the_real_corpora_are_read_whole(shared: Path) -> None:
    for name, count in (("scifact", 5183), ("cranfield", 1400), ("vaswani", 11_429)):
        source = JsonlTexts(str(shared / "ir" / name / "corpus.jsonl.gz"), skip_blank=True)
        ids = {page.id for page in source.pages()}
        assert count - 2 <= len(ids) <= count


def test_they_are_named_in_yaml_alone(tmp_path: Path) -> None:
    path = file(tmp_path / "collection.tsv", "0\tA\n")
    config = tmp_path / "source.yaml"
    config.write_text(
        "source:\n  class_path: reml.collection.sources.TsvTexts\n"
        f"  init_args:\n    path: {path}\n    columns: [id, text]\n"
    )
    parser = ArgumentParser()
    parser.add_argument("--config", action="config")
    parser.add_argument("--source", type=KnowledgeSource)
    source = parser.instantiate(parser.parse_args(["--config", str(config)])).source
    assert [page.id for page in source.pages()] == ["0"]


# A NUL is refused: files have it where they are UTF-16, or were cut by a crash.
texts = st.text(st.characters(codec="utf-8", exclude_characters="\t\n\r\0"), max_size=20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.lists(st.tuples(texts, texts), min_size=1))
def test_every_character_is_kept(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    expected = [
        Page(f"d{number}", title, (title, text.strip()))
        for number, (title, text) in enumerate(rows)
        if title.strip() or text.strip()
    ]
    tsv = "".join(f"d{number}\t{text}\t{title}\n" for number, (title, text) in enumerate(rows))
    assert list(TsvTexts(file(tmp_path / "a.tsv", tsv), skip_blank=True).pages()) == expected
    jsonl = "".join(
        json.dumps({"_id": f"d{number}", "title": title, "text": text}) + "\n"
        for number, (title, text) in enumerate(rows)
    )
    assert list(JsonlTexts(file(tmp_path / "a.jsonl", jsonl), skip_blank=True).pages()) == expected


def test_combining_characters_are_not_normalised(tmp_path: Path) -> None:
    lines = "composed\tcaf\u00e9\ndecomposed\tcafe\u0301\nhidden\tzero\u200bwidth\nright\t\u05e9\u05dc\u05d5\u05dd\n"
    pages = list(TsvTexts(file(tmp_path / "a.tsv", lines), ["id", "text"]).pages())
    assert [page.paragraphs[1] for page in pages] == [
        "caf\u00e9",
        "cafe\u0301",
        "zero\u200bwidth",
        "\u05e9\u05dc\u05d5\u05dd",
    ]


def test_lines_are_split_at_line_feeds_alone(tmp_path: Path) -> None:
    (page,) = TsvTexts(file(tmp_path / "a.tsv", "1\ta\u2028b\u0085c\x0bd\n"), ["id", "text"]).pages()
    assert page.paragraphs[1] == "a\u2028b\u0085c\x0bd"


def test_a_line_of_50_megabytes_is_a_text(tmp_path: Path) -> None:
    path = file(tmp_path / "a.tsv", '1\t"' + "word " * 10_000_000 + '"\tLong\n')
    (page,) = TsvTexts(path, quoted=True).pages()
    assert len(page.paragraphs[1]) == 49_999_999


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("1\ta\n", r"line 1 has 2 columns where 3 are named: \['id', 'text', 'title'\]"),
        ("\ta\tb\n", "line 1 has an empty id"),
        ("1\t \t\n", r"line 1 \(id '1'\) has neither text nor title; `skip_blank: true`"),
    ],
)
def test_a_line_that_is_not_so_is_named(line: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=told):
        list(TsvTexts(file(tmp_path / "a.tsv", line)).pages())


@pytest.mark.parametrize("line", ["{}", '{"_id": "1"}', '{"_id": "1", "text": null}', '{"_id": [], "text": ""}'])
def test_an_object_that_is_not_so_is_named(line: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"line 1: .*`id` .'_id'. and `text` .'text'. name the keys"):
        list(JsonlTexts(file(tmp_path / "a.jsonl", line + "\n")).pages())
    with pytest.raises(ValueError, match="line 1: the text must be an object"):
        list(JsonlTexts(file(tmp_path / "a.jsonl", "[]\n")).pages())
    (tmp_path / "b.jsonl").write_bytes(b"\xff{")
    with pytest.raises(ValueError, match="line 1: not UTF-8"):
        list(JsonlTexts(str(tmp_path / "b.jsonl")).pages())


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes(b"1\ta\n2\t\xff\n")
    with pytest.raises(ValueError, match="line 2: not UTF-8"):
        list(TsvTexts(str(tmp_path / "a.tsv"), ["id", "text"]).pages())


def test_blank_texts_that_are_left_out_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = TsvTexts(file(tmp_path / "a.tsv", "1\t \n2\ta\n3\t\n"), ["id", "text"], skip_blank=True)
    with caplog.at_level(logging.WARNING):
        assert [page.id for page in source.pages()] == ["2"]
    assert "2 lines have neither text nor title" in caplog.text


def test_ids_given_twice_are_refused_by_the_collection(tmp_path: Path) -> None:
    source = TsvTexts(file(tmp_path / "a.tsv", "1\ta\n1\tb\n"), ["id", "text"])
    with pytest.raises(ValueError, match="page id '1' is given twice"):
        build_collection(source, tmp_path / "passages")


def test_a_gzip_cut_short_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv.gz"
    file(path, "".join(f"{number}\ttext {number}\n" for number in range(5000)))
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(CorruptError, match=r"cut short or damaged after line \d+"):
        list(TsvTexts(str(path), ["id", "text"]).pages())


def test_what_is_read_otherwise_has_another_fingerprint(tmp_path: Path) -> None:
    path = file(tmp_path / "a.tsv", "1\ta\tb\n")
    made = [TsvTexts(path), TsvTexts(path, header=True), TsvTexts(path, ["id", "title", "text"]), TsvTexts(path)]
    assert len({source.fingerprint for source in made}) == 3
    assert made[0].fingerprint == made[3].fingerprint


def test_settings_that_are_not_allowed_are_errors_at_once(tmp_path: Path) -> None:
    path = file(tmp_path / "a.tsv", "1\ta\n")
    for columns in (["id"], ["id", "text", "text"], ["id", "text", "url"]):
        with pytest.raises(ValueError, match='name "id" and "text" once'):
            TsvTexts(path, columns)
    with pytest.raises(FileNotFoundError, match=r"no file .*absent\.tsv"):
        TsvTexts(str(tmp_path / "absent.tsv"))


class TestTsvTexts(KnowledgeSourceContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def make(self) -> KnowledgeSource:
        return TsvTexts(file(self.folder / "texts.tsv", "1\tIt is cold.\tOslo\n2\tIt is old.\tLima\n"))

    def other(self) -> KnowledgeSource:
        return TsvTexts(file(self.folder / "others.tsv", "1\tIt is cold.\tOslo\n2\tIt is far.\tLima\n"))


class TestJsonlTexts(TestTsvTexts):
    def make(self) -> KnowledgeSource:
        return JsonlTexts(file(self.folder / "texts.jsonl", '{"_id": 1, "text": "a"}\n{"_id": 2, "text": "b"}\n'))

    def other(self) -> KnowledgeSource:
        return JsonlTexts(file(self.folder / "others.jsonl", '{"_id": 1, "text": "a"}\n{"_id": 2, "text": "c"}\n'))


IDS = ["true", "1.5", "null", "[]", "{}", '"" ', '" "', "NaN", "1e3"]
TITLES = ["7", "true", "NaN", '["a"]', '{"a": 1}', "0", "false", "[]"]


@pytest.mark.parametrize("value", IDS)
def test_an_id_that_is_no_text_and_no_whole_number_is_refused(value: str, tmp_path: Path) -> None:
    path = file(tmp_path / "a.jsonl", f'{{"_id": "1", "text": "a"}}\n{{"_id": {value}, "text": "a"}}\n')
    with pytest.raises(
        LineError, match=r"a\.jsonl, line 2(: '_id' of the text must be|: the text has no|: not| has an)"
    ):
        list(JsonlTexts(path).pages())


@pytest.mark.parametrize("key", ["title", "text"])
@pytest.mark.parametrize("value", TITLES)
def test_a_title_or_text_that_is_none_is_refused(key: str, value: str, tmp_path: Path) -> None:
    fields = {"_id": '"1"', "title": '"T"', "text": '"a"'} | {key: value}
    line = ", ".join(f'"{name}": {written}' for name, written in fields.items())
    path = file(tmp_path / "a.jsonl", f'{{"_id": "0", "text": "a"}}\n{{{line}}}\n')
    with pytest.raises(LineError, match=rf"a\.jsonl, line 2: ('{key}' of the text must be a string|not JSON)"):
        list(JsonlTexts(path).pages())


def test_a_whole_number_is_an_id_and_a_title_may_be_missing_or_null(tmp_path: Path) -> None:
    lines = '{"_id": 7, "text": "a"}\n{"_id": 10000000000000000000000, "text": "b", "title": null}\n'
    pages = list(JsonlTexts(file(tmp_path / "a.jsonl", lines)).pages())
    assert [(page.id, page.title) for page in pages] == [("7", ""), ("1" + "0" * 22, "")]


def test_the_first_line_that_is_not_blank_is_the_header(tmp_path: Path) -> None:
    path = file(tmp_path / "a.tsv", "\n\nid\ttext\n1\ta\n")
    assert [page.id for page in TsvTexts(path, ["id", "text"], header=True).pages()] == ["1"]

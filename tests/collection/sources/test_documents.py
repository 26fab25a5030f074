"""Documents by a path alone: folders of texts, JSON objects, columns and TREC's documents, and what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from reml.collection.sources import TextFolder, TrecDocuments
from reml.collection.sources.documents import documents_of
from reml.contract.collections import KnowledgeSource
from reml.contract.examples import Page
from reml.files.lines import LineError
from reml.testing import KnowledgeSourceContract

TREC = """<DOC>
<DOCNO> AP-1 </DOCNO><HEAD>Rain &amp; wind</HEAD>
<TEXT>
It <b>rained</b>.
</TEXT>
<TEXT>All day.</TEXT>
</DOC>

<doc id="x">
<docno>2</docno>
<!-- <text>no</text> -->
No text tag here.
</doc>
<DOC><DOCNO>3</DOCNO></DOC>
"""


def folder(path: Path) -> Path:
    """Write a folder of texts as somebody has it."""
    (path / "sub").mkdir(parents=True)
    (path / ".hidden").mkdir()
    (path / "b.txt").write_text("One line,\nand a second.\n\n\nAnother  paragraph.\n", encoding="utf-8")
    (path / "sub" / "A note.MD").write_bytes(b"\xef\xbb\xbf# Head\r\n\r\nText \xc3\xa9\r\n \r\nEnd")
    (path / ".hidden" / "c.txt").write_text("no", encoding="utf-8")
    (path / "image.png").write_bytes(b"\x89PNG")
    return path


class TestTextFolder(KnowledgeSourceContract):
    @pytest.fixture(autouse=True)
    def _written(self, tmp_path: Path) -> None:
        self.folder = folder(tmp_path / "notes")

    def make(self) -> KnowledgeSource:
        return TextFolder(str(self.folder))

    def other(self) -> KnowledgeSource:
        other = self.folder.parent / "other"
        other.mkdir(exist_ok=True)
        for name in ("one", "two"):
            (other / f"{name}.txt").write_text(f"{name} more text", encoding="utf-8")
        return TextFolder(str(other))


class TestTrecDocuments(KnowledgeSourceContract):
    @pytest.fixture(autouse=True)
    def _written(self, tmp_path: Path) -> None:
        self.file = tmp_path / "ap.sgml"
        self.file.write_text(TREC, encoding="utf-8")

    def make(self) -> KnowledgeSource:
        return TrecDocuments(str(self.file))

    def other(self) -> KnowledgeSource:
        other = self.file.parent / "other.sgml"
        other.write_text(TREC.replace("AP", "WSJ"), encoding="utf-8")
        return TrecDocuments(str(other))


def test_a_folder_of_texts_is_pages_with_paragraphs_as_they_stand(tmp_path: Path) -> None:
    source = documents_of(str(folder(tmp_path / "notes")))
    assert list(source.pages()) == [
        Page("b.txt", "b", ("b", "One line,\nand a second.", "Another  paragraph.\n")),
        Page("sub/A note.MD", "A note", ("A note", "# Head", "Text é", "End")),
    ]
    before = source.fingerprint
    (tmp_path / "notes" / "b.txt").write_text("Other.", encoding="utf-8")
    assert source.fingerprint != before


def test_trec_s_documents(tmp_path: Path) -> None:
    (tmp_path / "ap.gz").write_bytes(gzip.compress(TREC.encode()))
    assert list(documents_of(str(tmp_path / "ap.gz")).pages()) == [
        Page("AP-1", "Rain & wind", ("Rain & wind", "It  rained .\n\nAll day.")),
        Page("2", "", ("", "No text tag here.")),
    ]


@pytest.mark.parametrize(
    "text",
    [
        '{"_id": "1", "title": "T", "text": "x y"}\n{"_id": "2", "text": ""}\n',
        '{"id": 1, "title": "T", "contents": "x y"}\n',
        '{"docid": "1", "url": "u", "headline": "T", "body": "x y"}\n',
        '{"pid": "1", "title": "T", "passage": "x y", "other": [1]}\n',
        "id\ttext\ttitle\n1\tx y\tT\n",
        "doc_id\ttitle\turl\tbody\n1\tT\tu\tx y\n",
        "\ufeffid\ttitle\ttext\r\n1\tT\tx y\r\n",
        "<DOC>\n<DOCNO>1</DOCNO><TITLE>T</TITLE><TEXT>x y</TEXT>\n</DOC>\n",
    ],
)
def test_a_file_says_by_what_stands_in_it_how_it_is_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "documents").write_text(text, encoding="utf-8")
    assert list(documents_of(str(tmp_path / "documents")).pages()) == [Page("1", "T", ("T", "x y"))]


def test_two_columns_are_id_and_text(tmp_path: Path) -> None:
    (tmp_path / "c.tsv").write_text("0\tA text.\n1\tB\n", encoding="utf-8")
    assert [page.id for page in documents_of(str(tmp_path / "c.tsv")).pages()] == ["0", "1"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\ta\tb\n", r"has 3 columns, and its first line does not name id and text: .*TsvTexts"),
        ("just words\n", "has 1 columns"),
        ('{"key": "1", "text": "x"}\n', r"has the keys key, text, and none of _id, id, .*JsonlTexts"),
        ('{"id": "1", "words": "x"}\n', "none of text, contents"),
        ("", "is blank"),
        ('[{"id": 1, "text": "x"}]\n', "a list: one object a line is wanted"),
        ("<DOC>\n<DOCNO>1</DOCNO>\nx\n", "line 1: the document is not closed by </DOC>"),
        ("<DOC>\n<DOCNO>1</DOCNO>\nx\n<DOC>\n</DOC>\n", "line 1: the document is not closed by </DOC> before line 4"),
        ("<DOC>\nx\n</DOC>\n", "line 1: the document has no <DOCNO>"),
    ],
)
def test_what_is_not_known_is_refused_with_what_to_name(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "documents").write_text(text, encoding="utf-8")
    with pytest.raises(LineError, match=said):
        list(documents_of(str(tmp_path / "documents")).pages())


def test_places_that_are_no_documents(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="name a file or folder of documents"):
        documents_of(str(tmp_path / "none"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"has no file that ends in \.txt or \.md"):
        documents_of(str(tmp_path / "empty"))
    (tmp_path / "empty" / "a.txt").write_text(" \n", encoding="utf-8")
    with pytest.raises(LineError, match="is blank: write a text in it"):
        list(documents_of(str(tmp_path / "empty")).pages())
    with pytest.raises(NotADirectoryError, match="is a file"):
        TextFolder(str(tmp_path / "empty" / "a.txt"))

"""TREC's documents as a knowledge source: what stands between `<DOC>` and `</DOC>`, a page of one paragraph each.

    <DOC>
    <DOCNO> AP880212-0001 </DOCNO>
    <HEAD>A headline</HEAD>
    <TEXT>
    What is searched.
    </TEXT>
    </DOC>

    class_path: reml.collection.sources.TrecDocuments
    init_args: {path: ap880212.sgml}

What stands in `TITLE`, `HEADLINE`, `HEAD` or `HL` is the title, all that is in `TEXT`, or where there is none all else
in the document, the text; tags go, and entities such as `&amp;` become their characters.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from reml.contract.examples import Page
from reml.contract.recorded import recorded
from reml.files.atomic import digest
from reml.files.integrity.digests import remembered_digest
from reml.files.lines import LineError, decoded_lines, existing_file

_BEGIN, _END = re.compile(r"<doc(\s[^>]*)?>", re.IGNORECASE), re.compile(r"</doc\s*>", re.IGNORECASE)
_ID = re.compile(r"<(docno|docid)\s*>(.*?)</\1\s*>", re.IGNORECASE | re.DOTALL)
_TITLE = re.compile(r"<(title|headline|head|hl)\s*>(.*?)</\1\s*>", re.IGNORECASE | re.DOTALL)
_TEXT = re.compile(r"<text\s*>(.*?)</text\s*>", re.IGNORECASE | re.DOTALL)
_COMMENT, _TAG = re.compile(r"<!--.*?-->", re.DOTALL), re.compile(r"</?[A-Za-z][^<>]*>")


@recorded
class TrecDocuments:
    """The documents of a file in TREC's format, plain or gzip, in their order.

    `FileNotFoundError` or `IsADirectoryError` if there is no such file; while streaming, `LineError` names the line of
    a document that is not closed or has no `DOCNO`, or says that the file has none.
    """

    def __init__(self, path: str) -> None:
        self.path = existing_file(path, "a file of TREC's documents, plain or gzip")

    def __repr__(self) -> str:
        return f"TrecDocuments({str(self.path)!r})"

    @property
    def fingerprint(self) -> str:
        """A digest of the file's bytes."""
        return digest("trec", remembered_digest(self.path))

    def pages(self) -> Iterator[Page]:
        """Yield every document once, one in memory at a time; those without text and title are left out."""
        begun, lines = 0, list[str]()
        number = 0
        for number, line in decoded_lines(self.path, str):
            if _BEGIN.search(line):
                if begun:
                    raise LineError(
                        f"{self.path}, line {begun}: the document is not closed by </DOC> before line {number}."
                    )
                begun, lines = number, []
            if begun:
                lines.append(line)
            if begun and _END.search(line):
                page = self._page("".join(lines), begun)
                begun = 0
                if any(page.paragraphs):
                    yield page
        if begun:
            raise LineError(f"{self.path}, line {begun}: the document is not closed by </DOC>.")

    def _page(self, document: str, number: int) -> Page:
        document = _COMMENT.sub(" ", _END.split(_BEGIN.split(document)[-1])[0])
        name = _ID.search(document)
        if name is None or not name[2].strip():
            raise LineError(f"{self.path}, line {number}: the document has no <DOCNO>, which is its id.")
        title = _TITLE.search(document)
        texts = _TEXT.findall(document) or [_TITLE.sub(" ", _ID.sub(" ", document))]
        said = _bare(title[2]) if title is not None else ""
        return Page(name[2].strip(), " ".join(said.split()), (said, _bare("\n".join(texts))))


def _bare(text: str) -> str:
    return html.unescape(_TAG.sub(" ", text)).strip()

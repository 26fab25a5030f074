r"""A retrieval task from files of documents, queries and judgements, wherever each of them is.

    class_path: reml.tasks.trec_files.TrecFiles
    init_args:
      name: robust
      documents: data/documents.jsonl
      queries: data/topics.txt
      judgements: {dev: data/qrels.txt}

- documents: a folder of texts, a file of JSON objects with `_id` (or `id`), `text` and `title`, a file of `id`, tab and
  text, or TREC's `<DOC>`s; or any knowledge source by its class.
- queries: JSON objects with `_id` (or `id`) and `text`, lines of id, tab and text, or TREC's topics (`<top>` with
  `<num>` and `<title>`, or `<topic number="1">` with `<query>`).
- judgements: TREC's (`query 0 document relevance`) or BEIR's (query, document and score, tabs between them).

Which of them a file has is told by its first line; each may be gzip. A ranking has no text to answer with: the answer
is the document's id, and what counts is retrieval (`reml.tasks.judged_queries`).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from reml.collection.sources.documents import documents_of, first_line, texts_of_file
from reml.contract.arguments.checked import checked
from reml.contract.collections import KnowledgeSource
from reml.contract.recorded import recorded
from reml.evaluation.trec.relevance import read_relevance
from reml.files.lines import LineError, decoded_lines, existing_file
from reml.tasks.judged_queries import JudgedQueries, Relevant, judged_of

_TOPIC = re.compile(r"<(top|topic)\b([^>]*)>(.*?)</\1\s*>", re.IGNORECASE | re.DOTALL)
_FIELD = re.compile(r"<([A-Za-z]+)[^>]*>([^<]*)")
_NUMBER = re.compile(r"""\b(?:number|id)\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
_LABEL = re.compile(r"\s*(number|title|topic|description|narrative)\s*:", re.IGNORECASE)
_LONG = {"desc": "description", "narr": "narrative"}
Place = tuple[Path, Path | None]


@recorded
@checked()
class TrecFiles(JudgedQueries[Place]):
    """Queries over documents; those of a split are the ones that its judgements name.

    name: short and unique in an experiment. documents: a path, or a knowledge source. queries: the path of all, or that
    of each split. judgements: the path of each split's; of one path alone, the split is `dev`. A split that has queries
    of its own and no judgements is a blind test. field: of TREC's topics, what is asked with (`title`, `description`,
    several with `+`); title or query if left out. relevant_from: the least judgement that counts as relevant. limit:
    keep the first so many queries of each split. Queries without a relevant document are left out and counted in the
    log.

    `FileNotFoundError` for a file that is not there and `ValueError` for settings that are not allowed, at once;
    `LineError` names the line that is not as it should be when a file is read.
    """

    def __init__(
        self,
        name: str,
        *,
        documents: str | KnowledgeSource,
        queries: str | Mapping[str, str],
        judgements: str | Mapping[str, str],
        field: str | None = None,
        relevant_from: int = 1,
        limit: int | None = None,
    ) -> None:
        super().__init__(name, relevant_from, limit)
        self._source = documents_of(documents) if isinstance(documents, str) else documents
        self._field = field
        judged = {"dev": judgements} if isinstance(judgements, str) else dict(judgements)
        asked = dict.fromkeys(judged, queries) if isinstance(queries, str) else dict(queries)
        lacking = sorted(set(judged) - set(asked))
        if not asked or lacking:
            splits = ", ".join(lacking) or "any split"
            raise ValueError(f"task {name!r} has no queries for {splits}: name a file of all, or one for each split.")
        self._places = {
            split: (_file(asked[split]), _file(judged[split]) if split in judged else None) for split in asked
        }

    def _read(self, place: Place) -> tuple[Iterable[tuple[str, str]], Relevant | None]:
        queries, judgements = place
        texts = read_queries(queries, self._field)
        if judgements is None:
            return texts.items(), None
        return judged_of(texts, queries, _judged(judgements), judgements, self._relevant_from)


def read_queries(path: Path, field: str | None = None) -> dict[str, str]:
    """Read the text of each query by its id, in their order; `LineError` for an id given twice or a query without text.

    field: of TREC's topics; nothing else has any.
    """
    first = first_line(path)
    if first.startswith("<"):
        rows = _topics(path, field)
    else:
        rows = ((page.id, page.paragraphs[1]) for page in texts_of_file(str(path), first).pages())
    texts: dict[str, str] = {}
    for query, asked in rows:
        if query in texts:
            raise LineError(f"{path} has query {query!r} twice: give each query an id of its own.")
        if not asked:
            raise LineError(f"{path}: query {query!r} has no text: give it one, or leave it out.")
        texts[query] = asked
    return texts


def _topics(path: Path, field: str | None) -> Iterator[tuple[str, str]]:
    whole = "".join(line for _, line in decoded_lines(path, str))
    topics = list(_TOPIC.finditer(whole))
    if not topics:
        raise LineError(
            f"{path} has no topics: each stands between <top> and </top>, or <topic number=...> and </topic>."
        )
    for place, (_, attributes, body) in enumerate((topic.groups() for topic in topics), start=1):
        fields = {name.lower(): _said(text) for name, text in _FIELD.findall(body)}
        fields = {_LONG.get(name, name): text for name, text in fields.items()}
        number = _NUMBER.search(attributes)
        query = number[1] if number is not None else fields.get("num", "")
        if not query:
            raise LineError(f"{path}: topic {place} has no number: write <num> or <topic number=...>.")
        usual = "title" if fields.get("title") else "query"
        wanted = [_LONG.get(one, one) for one in (field or usual).lower().split("+")]
        lacking = [one for one in wanted if not fields.get(one)]
        if lacking:
            there = ", ".join(name for name, text in fields.items() if text and name != "num")
            raise LineError(f"{path}: topic {query!r} has no {' and no '.join(lacking)}: name a `field` of {there}.")
        yield query, " ".join(fields[one] for one in wanted)


def _said(text: str) -> str:
    return " ".join(html.unescape(_LABEL.sub("", text, count=1)).split())


def _judged(path: Path) -> Iterator[tuple[str, str, int]]:
    first_line(path)  # says it if there is none
    for query, pages in read_relevance(path).items():
        yield from ((query, page, relevance) for page, relevance in pages.items())


def _file(path: str) -> Path:
    return existing_file(path, "a file of queries or judgements, plain or gzip")

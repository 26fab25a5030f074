"""A retrieval task from a folder in BEIR's layout: its queries, and its judgements as provenance.

    class_path: reml.tasks.beir.Beir
    init_args: {name: scifact, folder: data/scifact, splits: {train: qrels/train.tsv, dev: qrels/test.tsv}}

The folder has `corpus.jsonl` (_id, title, text), `queries.jsonl` (_id, text) and judgements with tabs between columns
(query-id, corpus-id, score), as Thakur et al., "BEIR", NeurIPS Datasets 2021, publish them; each may be gzip. A ranking
has no text to answer with: the answer is the document's id, and what counts is retrieval, with nDCG and its like by
`reml measure` from the run and the judgements in a result folder (`reml.tasks.judged_queries`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from reml.collection.sources.text_files import JsonlTexts
from reml.contract.arguments.checked import checked
from reml.contract.recorded import recorded
from reml.evaluation.trec.beir import read_judgements
from reml.files.lines import LineError
from reml.tasks.judged_queries import JudgedQueries, Relevant, judged_of

_LAYOUT = "a folder in BEIR's layout has corpus.jsonl, queries.jsonl and qrels/train.tsv, dev.tsv or test.tsv"


@recorded
@checked()
class Beir(JudgedQueries[Path]):
    """The queries of a folder over its documents; those of a split are the ones that its file of judgements names.

    name: short and unique in an experiment. folder: where the files are. splits: for each split its judgements, a path
    in the folder; what is in `qrels` by its name if left out. relevant_from: the least score that counts as relevant.
    limit: keep the first so many queries of each split. Documents without text and title, and queries of a split
    without a relevant document, are left out and counted in the log.

    `FileNotFoundError` for a file that the folder lacks and `ValueError` for settings that are not allowed, at once;
    `LineError` names the line that is not as it should be when a file is read.
    """

    def __init__(
        self,
        name: str,
        folder: str,
        *,
        splits: Mapping[str, str] | None = None,
        relevant_from: int = 1,
        limit: int | None = None,
    ) -> None:
        super().__init__(name, relevant_from, limit)
        self.folder = Path(folder).expanduser()
        self._source = JsonlTexts(str(_file(self.folder, "corpus.jsonl")), skip_blank=True)
        self._queries = JsonlTexts(str(_file(self.folder, "queries.jsonl")))
        self._places = _judgements(self.folder) if splits is None else _named(self.folder, splits)

    def _read(self, place: Path) -> tuple[Iterable[tuple[str, str]], Relevant]:
        return judged_of(self._texts(), self._queries.path, read_judgements(place), place, self._relevant_from)

    def _texts(self) -> dict[str, str]:
        texts: dict[str, str] = {}
        for query in self._queries.pages():
            if query.id in texts:
                raise LineError(f"{self._queries.path} has query {query.id!r} twice: give each query an id of its own.")
            texts[query.id] = query.paragraphs[1]
        return texts


def _judgements(folder: Path) -> dict[str, Path]:
    found = {path.name.partition(".")[0]: path for path in sorted((folder / "qrels").glob("*.tsv*"))}
    if not found:
        raise FileNotFoundError(
            f"{folder} has no judgements in qrels: {_LAYOUT}. Where they are elsewhere, name them, as in "
            "splits: {dev: qrels.tsv}."
        )
    return found


def _named(folder: Path, splits: Mapping[str, str]) -> dict[str, Path]:
    if not splits:
        raise ValueError("no splits are named: give one, as in splits: {dev: qrels/test.tsv}, or leave `splits` out.")
    return {split: _file(folder, path) for split, path in splits.items()}


def _file(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise FileNotFoundError(f"{folder} has no {name} (nor {name}.gz): {_LAYOUT}.")

"""A retrieval task from datasets of ir_datasets: their queries, and their judgements as provenance.

    class_path: reml.tasks.ir_datasets.IrDatasets
    init_args:
      name: scifact
      splits: {train: beir/scifact/train, dev: beir/scifact/test}

A ranking has no text to answer with: the answer is the document's id, and what counts is retrieval, with nDCG and its
like by `reml measure` from the run and the judgements in a result folder (`reml.tasks.judged_queries`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reml.collection.sources.ir_datasets import IrDataset, IrDatasetsTexts, load_ir_dataset
from reml.contract.arguments.checked import checked
from reml.contract.recorded import recorded
from reml.tasks.judged_queries import JudgedQueries, Relevant, relevant_documents


@recorded
@checked()
class IrDatasets(JudgedQueries[IrDataset]):
    """Queries of one dataset for each split, over the documents of one.

    name: short and unique in an experiment. splits: the id of each split's dataset. documents: the id of the one whose
    documents are searched; the first split's if left out. relevant_from: the least judgement that counts as relevant.
    limit: keep the first so many queries of each split. Queries without a relevant document are left out and counted in
    the log; those of a dataset without judgements are a blind test.

    `ValueError` for an id that is not there and for settings that are not allowed, at once.
    """

    def __init__(
        self,
        name: str,
        splits: Mapping[str, str],
        *,
        documents: str | None = None,
        relevant_from: int = 1,
        limit: int | None = None,
    ) -> None:
        if not splits:
            raise ValueError(f"task {name!r} has no splits. Give at least one: splits: {{dev: beir/scifact/test}}.")
        super().__init__(name, relevant_from, limit)
        self._places = {split: load_ir_dataset(each, "queries") for split, each in splits.items()}
        self._source = IrDatasetsTexts(documents or next(iter(splits.values())))

    def _read(self, place: IrDataset) -> tuple[Iterable[tuple[str, str]], Relevant | None]:
        relevant = None
        if place.has("qrels"):
            judged = ((one.query_id, one.doc_id, one.relevance) for one in place.qrels_iter())
            relevant = relevant_documents(judged, self._relevant_from)
        return ((query.query_id, query.default_text()) for query in place.queries_iter()), relevant

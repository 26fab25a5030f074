"""A retrieval task from datasets of ir_datasets: their queries, and their judgements as provenance.

    class_path: reml.tasks.ir_datasets.IrDatasets
    init_args:
      name: scifact
      splits: {train: beir/scifact/train, dev: beir/scifact/test}

A ranking has no text to answer with: the answer is the document's id, and what counts is retrieval, with nDCG and its
like by `reml measure` from the run and the judgements in a result folder (`reml.tasks.judged_queries`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reml.collection.sources.ir_datasets import IrDatasetsTexts, load_ir_dataset
from reml.contract.collections import KnowledgeSource
from reml.contract.examples import Example, Measure
from reml.contract.recorded import recorded
from reml.tasks.judged_queries import check_limit, judged_examples, relevant_documents


@recorded
class IrDatasets:
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
        check_limit(name, limit)
        self._name = name
        self._datasets = {split: load_ir_dataset(each, "queries") for split, each in splits.items()}
        self._source = IrDatasetsTexts(documents or next(iter(splits.values())))
        self._relevant_from = relevant_from
        self._limit = limit
        self._examples: dict[str, Sequence[Example]] = {}

    @property
    def name(self) -> str:
        """The name it was given."""
        return self._name

    @property
    def measure(self) -> Measure:
        """Accuracy of the ids of documents, for want of answers."""
        return "accuracy"

    def source(self) -> KnowledgeSource:
        """Give the documents."""
        return self._source

    def examples(self, split: str) -> Sequence[Example]:
        """Read the queries of a split, once; `ValueError` for a split that has no dataset."""
        if split not in self._datasets:
            raise ValueError(f"task {self._name!r} has no split {split!r}. It has {sorted(self._datasets)}.")
        if split not in self._examples:
            self._examples[split] = self._judged(split)
        return self._examples[split]

    def _judged(self, split: str) -> Sequence[Example]:
        dataset, relevant = self._datasets[split], None
        if dataset.has("qrels"):
            judged = ((one.query_id, one.doc_id, one.relevance) for one in dataset.qrels_iter())
            relevant = relevant_documents(judged, self._relevant_from)
        queries = ((query.query_id, query.default_text()) for query in dataset.queries_iter())
        return judged_examples(queries, relevant, self._limit, f"{self._name} {split}")

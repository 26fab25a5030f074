"""A retrieval task from datasets of ir_datasets: their queries, and their judgements as provenance.

    class_path: reml.tasks.ir_datasets.IrDatasets
    init_args:
      name: scifact
      splits: {train: beir/scifact/train, dev: beir/scifact/test}

Each relevant document is a right answer with its own provenance, so that recall is that of the judgements and
R-precision that of the first place. A ranking has no text to answer with: the answer is the document's id, and what
counts is retrieval, with nDCG and its like by `reml measure` from the run and the judgements in a result folder.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from reml.collection.sources.ir_datasets import IrDatasetsTexts, load_ir_dataset
from reml.contract.collections import KnowledgeSource
from reml.contract.examples import Answer, Example, Measure, Provenance
from reml.contract.recorded import recorded

_LOG = logging.getLogger(__name__)


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
        if limit is not None and limit < 1:
            raise ValueError(f"task {name!r}: limit is {limit}. Give at least 1, or nothing for all queries.")
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
            self._examples[split] = tuple(islice(self._judged(split), self._limit))
        return self._examples[split]

    def _judged(self, split: str) -> Iterator[Example]:
        dataset, left_out = self._datasets[split], 0
        blind = not dataset.has("qrels")
        relevant = {} if blind else self._relevant(split)
        for query in dataset.queries_iter():
            documents = relevant.get(query.query_id, {})
            if documents or blind:
                answers = tuple(Answer(document, (Provenance(document),)) for document in documents)
                yield Example(query.query_id, query.default_text(), answers)
            else:
                left_out += 1
        if left_out:
            _LOG.warning("%s %s: %d queries have no relevant document and are left out.", self._name, split, left_out)

    def _relevant(self, split: str) -> Mapping[str, Mapping[str, None]]:
        """Give the relevant documents of each query, each once, in the order of the judgements."""
        relevant: dict[str, dict[str, None]] = {}
        for judgement in self._datasets[split].qrels_iter():
            if judgement.relevance >= self._relevant_from:
                relevant.setdefault(judgement.query_id, {})[judgement.doc_id] = None
        return relevant

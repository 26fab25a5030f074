"""The contract of reml: the values that cross its rooms, and the protocols that its parts fulfil."""

from reml.contract.access import (
    Asked,
    FeedbackHandler,
    QueryExpansion,
    QueryGenerator,
    ResponseProcessor,
    StorageHandler,
    Trajectory,
)
from reml.contract.collections import Collection, KnowledgeSource
from reml.contract.examples import Answer, Example, Item, Json, Measure, Media, Page, Provenance, Span
from reml.contract.predictors import Feedback, Judge, Predictor
from reml.contract.retrieved import Hits, Queries, Responses
from reml.contract.retrievers import (
    Encoder,
    EncoderT,
    Index,
    Indexer,
    IndexMaker,
    Retriever,
    Scorer,
    TrainableEncoder,
    TrainableIndexer,
)
from reml.contract.signals import FeedbackRecord, InBatch, Prediction, Signal
from reml.contract.tasks import Task
from reml.contract.vectors import (
    DenseVectors,
    Float32Array,
    Int32Array,
    Int64Array,
    MultiVectors,
    Representations,
    Similarity,
    SparseVectors,
)

__all__ = [
    "Answer",
    "Asked",
    "Collection",
    "DenseVectors",
    "Encoder",
    "EncoderT",
    "Example",
    "Feedback",
    "FeedbackHandler",
    "FeedbackRecord",
    "Float32Array",
    "Hits",
    "InBatch",
    "Index",
    "IndexMaker",
    "Indexer",
    "Int32Array",
    "Int64Array",
    "Item",
    "Json",
    "Judge",
    "KnowledgeSource",
    "Measure",
    "Media",
    "MultiVectors",
    "Page",
    "Prediction",
    "Predictor",
    "Provenance",
    "Queries",
    "QueryExpansion",
    "QueryGenerator",
    "Representations",
    "ResponseProcessor",
    "Responses",
    "Retriever",
    "Scorer",
    "Signal",
    "Similarity",
    "Span",
    "SparseVectors",
    "StorageHandler",
    "Task",
    "TrainableEncoder",
    "TrainableIndexer",
    "Trajectory",
]

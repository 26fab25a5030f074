"""The contract of reml: the values that cross its rooms, and the protocols that its parts fulfil.

access            The access model g, the session it opens for a batch of examples, and the parts
asking            Asking a predictor: what it gives is held to the contract, and what it raises says who
collections       Where items come from and where they are kept
examples          What is predicted and from what: pages, items, examples and answers
joining           The lists of several access models as one list an example, and back
objective         How a configuration names an objective
predictor_module  How a configuration names a predictor
predictors        The predictor f, what it receives, and who says how useful its items were
recorded          How a class that is no dataclass keeps the arguments it was made with, so that keys
refusal           The refusal of a signal that a predictor cannot give, naming who can
retrieved         What goes into an access model and what comes out of it: queries, hits and responses
retrievers        What finds items: encoders, indexes, and the retrievers made of them
signals           What predictors and judges say of items, and what is kept of it on disk
tasks             What is predicted and how it is measured
vectors           Representations: rows of sparse or dense vectors, one or several a row, as encoders give
"""

from reml.contract.access import (
    Access,
    Asked,
    CollectionQueryGenerator,
    Continuing,
    Entries,
    FeedbackHandler,
    Likelihoods,
    QueryExpansion,
    QueryGenerator,
    ResponseProcessor,
    ScoredProcessor,
    Session,
    SparingProcessor,
    Storage,
    StorageHandler,
    Trajectory,
    Writer,
    Written,
)
from reml.contract.collections import Collection, KnowledgeSource
from reml.contract.examples import Answer, Example, Item, Json, Measure, Media, Page, Provenance, Span, texts_of
from reml.contract.predictors import Batch, Corrected, Feedback, Judge, Lender, Predictor
from reml.contract.retrieved import Hits, Queries, Responses, Rows
from reml.contract.retrievers import (
    DerivingIndexer,
    Encoder,
    EncoderT,
    FittingScorer,
    GrowingRetriever,
    Index,
    Indexer,
    IndexMaker,
    KeepingScorer,
    Retriever,
    Scorer,
    TrainableEncoder,
    TrainableIndexer,
)
from reml.contract.signals import Credit, FeedbackRecord, InBatch, Prediction, Signal
from reml.contract.tasks import MeasuredTask, Metric, MetricTask, Task
from reml.contract.vectors import (
    DenseVectors,
    Float32Array,
    Float64Array,
    Int32Array,
    Int64Array,
    MultiVectors,
    Representations,
    Similarity,
    SparseVectors,
)

__all__ = [
    "Access",
    "Answer",
    "Asked",
    "Batch",
    "Collection",
    "CollectionQueryGenerator",
    "Continuing",
    "Corrected",
    "Credit",
    "DenseVectors",
    "DerivingIndexer",
    "Encoder",
    "EncoderT",
    "Entries",
    "Example",
    "Feedback",
    "FeedbackHandler",
    "FeedbackRecord",
    "FittingScorer",
    "Float32Array",
    "Float64Array",
    "GrowingRetriever",
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
    "KeepingScorer",
    "KnowledgeSource",
    "Lender",
    "Likelihoods",
    "Measure",
    "MeasuredTask",
    "Media",
    "Metric",
    "MetricTask",
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
    "Rows",
    "ScoredProcessor",
    "Scorer",
    "Session",
    "Signal",
    "Similarity",
    "Span",
    "SparingProcessor",
    "SparseVectors",
    "Storage",
    "StorageHandler",
    "Task",
    "TrainableEncoder",
    "TrainableIndexer",
    "Trajectory",
    "Writer",
    "Written",
    "texts_of",
]

"""Contract tests for the protocols that users write, and small real objects to run them on.

Inherit a contract class in your test module and give it an instance:

    class TestMyIndex(IndexContract):
        def make(self) -> Index:
            return MyIndex()

feedback           The contract test of an objective
index              The contract test of an index
index_maker        The contract test of what a configuration names as an index
indexer            The contract test of what a configuration names as a retriever
memory_collection  A small collection in memory, for contract tests and your own
predictor          The contract test of a predictor
representations    Representations as plain matrices, to compare with
scorer             The contract test of a scorer
task               The contract test of a task
"""

from reml.testing.feedback import FeedbackContract
from reml.testing.index import IndexContract
from reml.testing.index_maker import IndexMakerContract
from reml.testing.indexer import IndexerContract
from reml.testing.memory_collection import TEXTS, MemoryCollection
from reml.testing.metric import MetricContract
from reml.testing.predictor import PredictorContract
from reml.testing.representations import matrix
from reml.testing.scorer import ScorerContract
from reml.testing.storage import StorageContract
from reml.testing.task import TaskContract

__all__ = [
    "TEXTS",
    "FeedbackContract",
    "IndexContract",
    "IndexMakerContract",
    "IndexerContract",
    "MemoryCollection",
    "MetricContract",
    "PredictorContract",
    "ScorerContract",
    "StorageContract",
    "TaskContract",
    "matrix",
]

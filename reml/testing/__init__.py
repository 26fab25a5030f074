"""Contract tests for the protocols that users write, and small real objects to run them on.

Inherit a contract class in your test module and give it an instance:

    class TestMyIndex(IndexContract):
        def make(self) -> Index:
            return MyIndex()
"""

from reml.testing.feedback import FeedbackContract
from reml.testing.index import IndexContract
from reml.testing.index_maker import IndexMakerContract
from reml.testing.indexer import IndexerContract
from reml.testing.memory_collection import TEXTS, MemoryCollection
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
    "PredictorContract",
    "ScorerContract",
    "StorageContract",
    "TaskContract",
    "matrix",
]

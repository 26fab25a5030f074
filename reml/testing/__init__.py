"""Contract tests for the protocols that users write, and small real objects to run them on.

Inherit a contract class in your test module and give it an instance:

    class TestMyIndex(IndexContract):
        def make(self) -> Index:
            return MyIndex()
"""

from reml.testing.access import AccessContract
from reml.testing.chain import QueryExpansionContract, QueryGeneratorContract, ResponseProcessorContract
from reml.testing.encoder import EncoderContract, TrainableEncoderContract
from reml.testing.feedback import FeedbackContract, FeedbackHandlerContract, JudgeContract
from reml.testing.index import IndexContract
from reml.testing.index_maker import IndexMakerContract
from reml.testing.indexer import IndexerContract, TrainableIndexerContract
from reml.testing.memory_collection import TEXTS, MemoryCollection
from reml.testing.predictor import PredictorContract
from reml.testing.representations import matrix
from reml.testing.scorer import ScorerContract
from reml.testing.task import KnowledgeSourceContract, TaskContract

__all__ = [
    "TEXTS",
    "AccessContract",
    "EncoderContract",
    "FeedbackContract",
    "FeedbackHandlerContract",
    "IndexContract",
    "IndexMakerContract",
    "IndexerContract",
    "JudgeContract",
    "KnowledgeSourceContract",
    "MemoryCollection",
    "PredictorContract",
    "QueryExpansionContract",
    "QueryGeneratorContract",
    "ResponseProcessorContract",
    "ScorerContract",
    "TaskContract",
    "TrainableEncoderContract",
    "TrainableIndexerContract",
    "matrix",
]

"""Contract tests for the protocols that users write, and small real objects to run them on.

Inherit a contract class in your test module and give it an instance:

    class TestMyIndex(IndexContract):
        def make(self) -> Index:
            return MyIndex()

access             The contract test of an access model and of the sessions it opens
chain              The contract tests of what an access model does before and after its search
contract           What all contract classes have in common
encoder            The contract tests of an encoder, and of one that is trained
feedback           The contract tests of an objective, of a judge, and of what takes feedback
index              The contract test of an index
index_maker        The contract test of what a configuration names as an index
indexer            The contract test of what a configuration names as a retriever
memory_collection  A small collection in memory, for contract tests and your own
metric             The contract test of a metric
predictor          The contract test of a predictor
representations    Representations as plain matrices, to compare with
sampler            The contract test of a sampler
scorer             The contract test of a scorer
storage            The contract test of what a configuration names as the storage of an access model
task               The contract tests of a task and of a knowledge source
word_retriever     A small retriever of any collection, for contract tests and your own
writer             The contract tests of a language model
"""

import pkgutil

from reml.contract.arguments.extras import install_hint

try:
    import pytest
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(f"{error}. Contract tests need pytest: {install_hint('dev')}.") from error

# Before they are imported, so that a contract that fails shows the values it compared.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)))

from reml.testing.access import AccessContract
from reml.testing.chain import QueryExpansionContract, QueryGeneratorContract, ResponseProcessorContract
from reml.testing.encoder import EncoderContract, TrainableEncoderContract
from reml.testing.feedback import FeedbackContract, FeedbackHandlerContract, JudgeContract
from reml.testing.index import IndexContract
from reml.testing.index_maker import IndexMakerContract
from reml.testing.indexer import IndexerContract, TrainableIndexerContract
from reml.testing.memory_collection import TEXTS, MemoryCollection
from reml.testing.metric import MetricContract
from reml.testing.predictor import PredictorContract
from reml.testing.representations import matrix
from reml.testing.sampler import SamplerContract
from reml.testing.scorer import ScorerContract
from reml.testing.storage import StorageContract
from reml.testing.task import KnowledgeSourceContract, TaskContract
from reml.testing.word_retriever import WordRetriever
from reml.testing.writer import ContinuingContract, WriterContract

__all__ = [
    "TEXTS",
    "AccessContract",
    "ContinuingContract",
    "EncoderContract",
    "FeedbackContract",
    "FeedbackHandlerContract",
    "IndexContract",
    "IndexMakerContract",
    "IndexerContract",
    "JudgeContract",
    "KnowledgeSourceContract",
    "MemoryCollection",
    "MetricContract",
    "PredictorContract",
    "QueryExpansionContract",
    "QueryGeneratorContract",
    "ResponseProcessorContract",
    "SamplerContract",
    "ScorerContract",
    "StorageContract",
    "TaskContract",
    "TrainableEncoderContract",
    "TrainableIndexerContract",
    "WordRetriever",
    "WriterContract",
    "matrix",
]

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from reml.access.encoded_retriever import EncodedRetriever
from reml.contract.predictors import Batch
from reml.contract.retrievers import TrainableEncoder
from reml.feedback.contrastive import Contrastive
from reml.feedback.judges.gold_evidence import GoldEvidence
from reml.feedback.judges.judges import Judges
from reml.index.faiss import FaissIndex
from reml.training.regimes.regimes import Conditional
from reml.training.regimes.retriever_objective import RetrieverObjective
from reml.training.scale.gradient_cache import GradientCached
from tests.training.pointing import collection, predictor
from tests.training.several_devices import located
from tests.training.word_encoder import WordEncoder

ITEMS = collection()


def batch(start: int = 0, stop: int = 8) -> Batch:
    """Give queries with two items each, in whose loss every item of another query is a negative."""
    return located(0, 8).take(np.arange(start, stop))


def gradients(encoder: TrainableEncoder, given: Batch) -> list[Tensor]:
    retriever = EncodedRetriever(ITEMS, encoder, FaissIndex(8, "Flat"))
    learner = RetrieverObjective(retriever, encoder.module, Contrastive(), judges=Judges(items=GoldEvidence()))
    loss = Conditional(predictor(), learner)(given)["retriever"].mean()
    return list(torch.autograd.grad(loss, list(encoder.module.parameters())))


@pytest.mark.parametrize("size", [1, 3, 8, 100])
def test_the_gradient_is_that_of_the_whole_batch(size: int) -> None:
    whole = gradients(WordEncoder(), batch())
    for found, wanted in zip(gradients(GradientCached(WordEncoder(), size), batch()), whole, strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-6, rtol=0)


def test_the_mean_gradient_of_parts_of_a_batch_is_another_one() -> None:
    """The trap that the cache is for: a part knows only its own negatives."""
    whole = gradients(WordEncoder(), batch())
    halves = [gradients(WordEncoder(), batch(start, start + 4)) for start in (0, 4)]
    assert all((sum(parts) / 2 - wanted).abs().max() > 1e-3 for *parts, wanted in zip(*halves, whole, strict=True))


def test_dropout_is_the_same_when_a_chunk_is_encoded_again() -> None:
    """The gradient is that of chunks whose activations are kept; with other random numbers it is another one."""
    texts = [example.input for example in batch().examples]

    def of_square(encoder: WordEncoder, vectors: Tensor) -> Tensor:
        loss = (vectors.sum(dim=0) ** 2).sum()
        torch.rand(5)  # the backward pass finds the generator elsewhere
        return torch.autograd.grad(loss, next(encoder.module.parameters()))[0]

    encoder, found = WordEncoder(dropout=0.5), []
    for draw in (0, 0, 1):
        torch.manual_seed(draw)
        found.append(of_square(encoder, GradientCached(encoder, 3).query_vectors(texts)))
    torch.manual_seed(0)
    kept = torch.cat([encoder.query_vectors(texts[start : start + 3]) for start in (0, 3, 6)])
    wanted = of_square(encoder, kept)
    torch.testing.assert_close(found[0], wanted, atol=1e-6, rtol=0)
    torch.testing.assert_close(found[1], found[0], atol=0, rtol=0)
    assert (found[2] - found[0]).abs().max() > 1e-3


def test_each_chunk_is_encoded_twice_and_only_one_keeps_what_its_gradient_needs() -> None:
    encoder = WordEncoder()
    texts, kept = [example.input for example in batch().examples], []

    def keep(tensor: Tensor) -> Tensor:
        kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        vectors = GradientCached(encoder, 3).query_vectors(texts)
    assert encoder.calls == [3, 3, 2]
    assert sum(kept) == 0
    torch.autograd.grad(vectors.sum(), list(encoder.module.parameters()))
    assert sorted(encoder.calls) == [2, 2, 3, 3, 3, 3]


def test_without_gradient_nothing_is_cut() -> None:
    encoder = WordEncoder()
    with torch.no_grad():
        GradientCached(encoder, 3).query_vectors([example.input for example in batch().examples])
    assert encoder.calls == [8]


def test_a_gradient_cache_holds_a_text() -> None:
    with pytest.raises(ValueError, match="a gradient cache keeps the activations of 1 text or more, not 0"):
        GradientCached(WordEncoder(), 0)

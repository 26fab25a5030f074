"""The contract tests of an encoder, and of one that is trained."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import get_args

import numpy as np
import torch

from reml.access.similarity import EncoderScorer, as_tensor
from reml.contract.examples import Item
from reml.contract.retrieved import Queries
from reml.contract.retrievers import Encoder, TrainableEncoder
from reml.contract.vectors import Representations, Similarity
from reml.testing.contract import Contract
from reml.testing.memory_collection import TEXTS, MemoryCollection


class EncoderContract(Contract, ABC):
    """What every encoder must do. Set `trained = False` for one of random weights, to which no text is near itself."""

    trained = True

    @abstractmethod
    def make(self) -> Encoder:
        """Make the encoder, the same each time."""

    def test_gives_one_representation_for_each(self) -> None:
        """Queries and items are of one width, and none of none has it too."""
        encoder, items = self.make(), encoded_items()
        asked, kept, none = encoder.encode_queries(TEXTS), encoder.encode_items(items), encoder.encode_queries([])
        assert (len(asked), len(kept), len(none)) == (len(TEXTS), len(TEXTS), 0)
        assert asked.width == kept.width == none.width
        assert encoder.similarity in get_args(Similarity)

    def test_a_text_is_encoded_the_same_whatever_stands_beside_it(self) -> None:
        """Neither the order nor the other texts of a batch change a representation."""
        encoder, items = self.make(), encoded_items()
        alone = encoder.encode_queries(TEXTS[:1]), encoder.encode_items(items[:1])
        among = encoder.encode_queries(TEXTS[::-1]), encoder.encode_items(items[::-1])
        for one, several in zip(alone, among, strict=True):
            np.testing.assert_allclose(
                *same_length(one, several.take(np.array([len(TEXTS) - 1]))), rtol=1e-3, atol=1e-4
            )

    def test_a_text_is_nearest_to_itself(self) -> None:
        """By the similarity that the encoder names; different texts are told apart."""
        places = np.tile(np.arange(len(TEXTS)), (len(TEXTS), 1))
        scores = EncoderScorer(self.make(), gradient=False).score(Queries.of(TEXTS), encoded_items(), places)
        assert scores.std() > 0, "all pairs are alike to it"
        if self.trained:
            assert scores.argmax(dim=1).tolist() == list(range(len(TEXTS)))

    def test_the_same_encoder_has_the_same_fingerprint(self) -> None:
        """What was indexed by one is searched by another process's."""
        assert self.make().fingerprint() == self.make().fingerprint()


class TrainableEncoderContract(EncoderContract):
    """What every encoder with parameters must do beside. Set `items_learn = False` where only queries do."""

    items_learn = True

    @abstractmethod
    def make(self) -> TrainableEncoder:
        """Make the encoder, the same each time, in evaluation."""

    def test_what_is_trained_is_what_is_searched(self) -> None:
        """Vectors with gradient are the representations of queries and of items."""
        encoder, items = self.make(), encoded_items()
        pairs = [
            (encoder.query_vectors(TEXTS), encoder.encode_queries(TEXTS)),
            (encoder.item_vectors(items), encoder.encode_items(items)),
        ]
        for vectors, kept in pairs:
            torch.testing.assert_close(vectors.detach().float().cpu(), as_tensor(kept), rtol=2e-2, atol=2e-2)

    def test_vectors_are_float32_where_the_training_is_in_bfloat16(self) -> None:
        """What is encoded within a training step in mixed precision is what numpy and an index take."""
        encoder, items = self.make(), encoded_items()
        device = next(encoder.module.parameters()).device.type
        with torch.autocast(device, dtype=torch.bfloat16):
            vectors = [encoder.query_vectors(TEXTS), encoder.item_vectors(items)]
            kept = [encoder.encode_queries(TEXTS), encoder.encode_items(items)]
        for one, other in zip(vectors, kept, strict=True):
            assert one.dtype == torch.float32
            assert len(other) == len(TEXTS)

    def test_gradients_reach_its_parameters(self) -> None:
        """Of queries, and of items where these learn."""
        for items in (False, True):
            encoder = self.make()
            vectors = encoder.item_vectors(encoded_items()) if items else encoder.query_vectors(TEXTS)
            assert vectors.requires_grad == (self.items_learn or not items)
            if vectors.requires_grad:
                vectors.square().sum().backward()  # type: ignore[no-untyped-call]
                gradients = [value.grad for value in encoder.module.parameters() if value.grad is not None]
                assert gradients
                assert all(torch.isfinite(gradient).all() for gradient in gradients)

    def test_encoding_has_no_dropout_and_leaves_the_mode(self) -> None:
        """A module in training gives the same representations twice, and is in training after."""
        encoder = self.make()
        encoder.module.train()
        first, second = encoder.encode_queries(TEXTS), encoder.encode_queries(TEXTS)
        np.testing.assert_allclose(*same_length(first, second), rtol=1e-3, atol=1e-4)
        assert encoder.module.training

    def test_other_weights_have_another_fingerprint(self) -> None:
        """An index of before a training is not taken for one of after it."""
        encoder = self.make()
        before = encoder.fingerprint()
        shaken(encoder)
        assert encoder.fingerprint() != before


def encoded_items() -> list[Item]:
    """Give the texts as items without a title."""
    return MemoryCollection(TEXTS, [""] * len(TEXTS)).get(np.arange(len(TEXTS)))


def shaken(encoder: TrainableEncoder) -> None:
    """Change all weights of an encoder a little, as a step of training would."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in encoder.module.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.add_(0.1 * noise.to(parameter))


def same_length(one: Representations, other: Representations) -> tuple[np.ndarray, np.ndarray]:
    """Give two representations as tensors of one shape, with the zeros of padding."""
    first, second = as_tensor(one).numpy(), as_tensor(other).numpy()
    if first.ndim == 3:
        length = min(first.shape[1], second.shape[1])
        assert not first[:, length:].any()
        assert not second[:, length:].any()
        first, second = first[:, :length], second[:, :length]
    return first, second

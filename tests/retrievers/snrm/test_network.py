from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reml.files.atomic import MANIFEST, CorruptError
from reml.files.model_location import ModelError
from reml.retrievers.encoders.token_batches import token_batches
from reml.retrievers.snrm.lexicon import Lexicon
from reml.retrievers.snrm.network import Layers, NgramNetwork
from reml.text.analysis import Analyser

WORDS = ["river", "boat", "bank", "money", "tree"]


def network(**sizes: object) -> NgramNetwork:
    torch.manual_seed(0)
    layers = Layers(**{"window": 3, "hidden": (7, 4), "width": 11, "dropout": 0.0, "pooling": "mean", **sizes})  # type: ignore[arg-type]
    return NgramNetwork(Lexicon(Analyser(stemmer="none"), WORDS), torch.randn(len(WORDS), 6), layers).eval()


def encoded(network: NgramNetwork, texts: list[list[int]]) -> torch.Tensor:
    (batch,) = token_batches(texts, 100, padding=network.padding, device=torch.device("cpu"))
    vectors: torch.Tensor = network(batch.ids, batch.mask)
    return vectors


def test_by_hand() -> None:
    """One dimension of embedding, n-grams of 3 that sum their words, and outputs x and -x.

    Words 1 and 2 are 2 and -3, so the n-grams of the text 1 1 2 are 0+2+2, 2+2-3 and 2-3+0: 4, 1 and -1. ReLU of the
    first layer (x, -x) gives (4, 0), (1, 0), (0, 1); the mean is (5/3, 1/3).
    """
    layers = Layers(window=3, hidden=(), width=2, pooling="mean")
    summing = NgramNetwork(Lexicon(Analyser(), ["a", "b"]), torch.tensor([[2.0], [-3.0]]), layers)
    summing.eval()
    with torch.no_grad():
        summing.ngrams.weight.copy_(torch.tensor([1.0, -1.0])[:, None, None].expand(2, 1, 3))
    np.testing.assert_allclose(encoded(summing, [[1, 1, 2]])[0].detach(), [5 / 3, 1 / 3], rtol=1e-6)


@given(st.lists(st.lists(st.integers(1, 5), max_size=9), min_size=1, max_size=5))
def test_a_text_alone_is_the_same_as_in_any_batch(texts: list[list[int]]) -> None:
    """Padding counts neither in a window's mean nor in the number of n-grams."""
    model = network()
    together = encoded(model, texts).detach().numpy()
    for text, vector in zip(texts, together, strict=True):
        np.testing.assert_allclose(vector, encoded(model, [text])[0].detach().numpy(), atol=1e-6)


def test_a_text_without_words_is_zero_and_weights_are_not_negative() -> None:
    vectors = encoded(network(), [[], [1, 2]])
    assert not vectors[0].any()
    assert (vectors >= 0).all()
    assert vectors[1].any()


def test_the_order_of_words_counts_within_an_ngram_only() -> None:
    texts = [[1, 2, 3, 4], [4, 3, 2, 1]]
    one_word, three_words = encoded(network(window=1), texts), encoded(network(window=3), texts)
    torch.testing.assert_close(one_word[0], one_word[1])
    assert not torch.allclose(three_words[0], three_words[1])


def test_the_embedding_of_padding_stays_zero() -> None:
    model = network()
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.1)
    encoded(model, [[1, 2], [1]]).sum().backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    assert not model.embedding.weight[model.padding].any()
    assert model.embedding.weight.grad is not None
    assert model.embedding.weight.grad[1].any()


def test_dropout_is_on_hidden_layers_while_training() -> None:
    """One hidden unit: a text of one word keeps its output, doubled, or loses all of it."""
    model = network(hidden=(1,), dropout=0.5, window=1)
    with torch.no_grad():
        model.ngrams.weight.copy_(model.embedding.weight[1][None, :, None])
        for layer in model.layers.parameters():
            layer.fill_(1.0)
    kept = encoded(model, [[1]])[0]
    model.train()
    outputs = [encoded(model, [[1]])[0] for _ in range(40)]
    assert kept.any()
    doubled = [bool(torch.allclose(output, 2 * kept)) for output in outputs]
    assert 8 <= sum(doubled) <= 32
    assert all(double or not output.any() for double, output in zip(doubled, outputs, strict=True))


def test_training_starts_with_sparse_outputs_that_the_middle_word_decides() -> None:
    """An output passes one standard deviation above its mean: by the normal distribution, 16 % of them."""
    torch.manual_seed(0)
    layers = Layers(window=5, hidden=(300, 100), width=500, pooling="mean")
    lexicon = Lexicon(Analyser(), [str(word) for word in range(200)])
    start = NgramNetwork(lexicon, torch.randn(200, 50), layers).eval()
    words = encoded(start, [[word] for word in range(1, 101)])
    assert 0.12 < float((words > 0).float().mean()) < 0.2
    taps = start.ngrams.weight.detach().square().mean(dim=(0, 1)).sqrt()
    np.testing.assert_allclose(taps / taps[2], [0.3, 0.3, 1.0, 0.3, 0.3], rtol=0.1)


def test_texts_become_the_numbers_of_known_words() -> None:
    assert network().tokenise(["The river, a BOAT!", "of the", "zebu bank"], 9) == [[1, 2], [], [3]]
    assert network().tokenise(["river boat bank"], 2) == [[1, 2]]


def test_a_saved_network_is_the_same(tmp_path: Path) -> None:
    model = network()
    model.save(tmp_path / "model")
    loaded = NgramNetwork.load(tmp_path / "model").eval()
    assert loaded.fingerprint == model.fingerprint
    torch.testing.assert_close(encoded(loaded, [[1, 2, 5]]), encoded(model, [[1, 2, 5]]), rtol=0, atol=0)
    assert loaded.fingerprint != network(width=12).fingerprint
    weights = tmp_path / "model" / "network.safetensors"
    whole = weights.read_bytes()
    for spoilt, said in (
        (whole[: len(whole) // 2], "is cut"),
        (b"version https://git-lfs.github.com/spec/v1", "git-lfs"),
    ):
        weights.write_bytes(spoilt)
        with pytest.raises(ModelError, match=said):
            NgramNetwork.load(tmp_path / "model")
    weights.write_bytes(whole[:-2] + bytes([whole[-2] ^ 1]) + whole[-1:])
    with pytest.raises(CorruptError, match=r"network\.safetensors is not what was written"):
        NgramNetwork.load(tmp_path / "model")
    weights.write_bytes(whole)
    (tmp_path / "model" / MANIFEST).write_text('{"kind": "snrm network"}')
    with pytest.raises(CorruptError, match="cannot be read"):
        NgramNetwork.load(tmp_path / "model")
    with pytest.raises(CorruptError, match="not a snrm network"):
        NgramNetwork.load(tmp_path)


def test_wrong_sizes_are_refused() -> None:
    for wrong, said in (
        ({"window": 0}, "window is 0, but must be 1 or more"),
        ({"width": 0}, "width is 0, but must be 1 or more"),
        ({"hidden": (3, 0)}, "sizes of 1 or more"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"pooling": "max"}, "mean"),
        ({"length": -1.0}, "length is -1.0"),
    ):
        with pytest.raises((ValueError, TypeError), match=said):
            Layers(**wrong)


def test_the_precision_of_a_machine_changes_nothing() -> None:
    words = [f"w{number}" for number in range(40)]
    model = NgramNetwork(Lexicon(Analyser(stemmer="none"), words), torch.randn(40, 6), Layers(width=50)).eval()
    texts = [[1, 2, 3], [4, 9, 40, 7]]
    with torch.no_grad():
        plain = encoded(model, texts)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            torch.testing.assert_close(encoded(model, texts), plain, rtol=0, atol=0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(encoded(model.train(), texts), plain, rtol=1e-5, atol=1e-6)

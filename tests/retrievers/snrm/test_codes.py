"""A start from codes: what words switch on, what that is worth, and that shortcuts compute what the layers say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from reml.contract.retrieved import Queries
from reml.contract.retrievers import TrainableIndexer
from reml.files.atomic import StaleError
from reml.retrievers.encoders.sparse_encoder import SparseEncoder, TextCut
from reml.retrievers.snrm.candidates import Candidates
from reml.retrievers.snrm.codes import codes, loudness
from reml.retrievers.snrm.network import Layers, NgramNetwork
from reml.retrievers.snrm.snrm import SNRM
from reml.testing import MemoryCollection, TrainableIndexerContract

LETTERS = [f"{first}{second}" for first in "bcdfghjklmnp" for second in "aeiou"]
# Words of two syllables, of which many share their stem with a plural.
WORDS = [f"{first}{second}{end}" for first in LETTERS[:20] for second in LETTERS[20:40] for end in ("t", "ts")]
CUT = TextCut(query_tokens=20, item_tokens=40, title=False, precision="float32")


def texts_of(seed: int = 0) -> list[str]:
    generator = np.random.default_rng(seed)
    return [" ".join(generator.choice(WORDS, 12)) for _ in range(200)]


def collection(seed: int = 0) -> MemoryCollection:
    return MemoryCollection(texts_of(seed), [""] * 200)


def settings(layers: Mapping[str, Any] | None = None, **changes: Any) -> SNRM:
    form = Layers(**{"width": 1_000, **(layers or {})})
    return SNRM(**{"embeddings": None, "min_count": 1, "rare_rows": 0, "layers": form, "cut": CUT, **changes})


def made(folder: Path, **changes: Any) -> NgramNetwork:
    network = settings(**changes).encoder(collection(), folder).module
    assert isinstance(network, NgramNetwork)
    return network


class TestFromCodes(TrainableIndexerContract):
    def make(self) -> TrainableIndexer[SparseEncoder]:
        return SNRM(embeddings=None, min_count=1, layers=Layers(width=500), cut=CUT)


def alone(network: NgramNetwork, count: int) -> Tensor:
    words = torch.zeros(count, network.form.window, dtype=torch.long)
    words[:, (network.form.window - 1) // 2] = torch.arange(1, 1 + count)
    with torch.no_grad():
        return network.outputs(words)


def test_a_word_alone_switches_on_its_own_output_and_that_of_its_stem(tmp_path: Path) -> None:
    network = made(tmp_path)
    outputs, terms = alone(network, len(network.lexicon.terms)), list(network.lexicon.terms)
    plain = [sum(word in text.split() for text in texts_of()) for word in terms]
    idf = torch.from_numpy(loudness(np.array(plain), 200))
    strongest = outputs.topk(2, dim=1).values
    torch.testing.assert_close(strongest, (idf / 2**0.5)[:, None].expand(-1, 2), rtol=1e-4, atol=1e-4)
    assert float((outputs > 0).float().sum(1).mean()) < 2 * 1.15
    both = [word for word in terms if f"{word}s" in terms]
    assert both
    on = {word: set(row.topk(2).indices.tolist()) for word, row in zip(terms, outputs, strict=True)}
    shared = [len(on[word] & on[f"{word}s"]) for word in both]
    assert np.mean([count == 1 for count in shared]) > 0.95


def test_outputs_have_even_posting_lists() -> None:
    """The most frequent word has 500 postings; all have 5,187, two outputs each: 104 on each of 100 outputs."""
    frequencies = (500 / np.arange(1, 1_001)).astype(np.int64)
    names = [str(number) for number in range(1_000)]
    found = codes(names, frequencies, outputs=100, width=16, generator=np.random.default_rng(0))
    loads = np.zeros(100, dtype=np.int64)
    np.add.at(loads, found.outputs.ravel(), np.repeat(frequencies, 2))
    hashed = np.zeros(100, dtype=np.int64)
    np.add.at(hashed, np.random.default_rng(1).integers(0, 100, 2_000), np.repeat(frequencies, 2))
    assert np.sort(loads)[:90].std() < np.sort(hashed)[:90].std() / 2
    assert (found.outputs[:, 0] != found.outputs[:, 1]).all()
    for place in (0, 1):
        seen = np.einsum("nd,nd->n", found.vectors, found.directions[found.outputs[:, place]])
        np.testing.assert_allclose(seen, 1.0, rtol=1e-4)


def test_it_finds_before_any_training_what_shares_words(tmp_path: Path) -> None:
    texts = texts_of()
    retriever = settings().index(collection(), tmp_path / "index")
    hits = retriever.search(Queries.of([" ".join(text.split()[2:6]) for text in texts]), 1)
    assert np.mean(hits.rows[:, 0] == np.arange(200)) > 0.98
    again = settings().index(collection(), tmp_path / "index")
    assert (again.search(Queries.of(texts[:5]), 3).rows == retriever.search(Queries.of(texts[:5]), 3).rows).all()
    with pytest.raises(StaleError):
        settings().index(collection(1), tmp_path / "index")


def test_codes_follow_their_own_seed_and_no_other(tmp_path: Path) -> None:
    prints = []
    for number, (seed, of_torch) in enumerate([(0, 1), (0, 2), (1, 1)]):
        torch.manual_seed(of_torch)
        prints.append(settings(seed=seed).encoder(collection(), tmp_path / str(number)).fingerprint())
    assert prints[0] == prints[1] != prints[2]


def test_words_that_stand_seldom_share_rows(tmp_path: Path) -> None:
    network = made(tmp_path, min_count=8, rare_rows=50)
    known = len(network.lexicon.terms)
    assert 0 < known < len(WORDS)
    numbers = [network.lexicon.number_of(word) for word in [*WORDS, "never-met"]]
    rare = {number for number in numbers if number > known}
    assert max(numbers) <= known + 50
    assert len(rare) == 50
    assert made(tmp_path / "none", min_count=8).lexicon.number_of("never-met") == 0


@pytest.mark.parametrize(
    ("layers", "factor"),
    [
        ({"pooling": "sum", "length": None}, lambda sums: sums),
        ({"pooling": "log", "length": None}, np.log1p),
        ({"pooling": "mean"}, lambda sums: sums / 4),
        ({"pooling": "log", "length": 4.0}, lambda sums: np.log1p(sums) * (12 + 48) / (4 + 48)),
    ],
)
def test_items_are_pooled_as_asked_and_queries_by_the_mean(tmp_path: Path, layers: dict[str, object], factor) -> None:  # type: ignore[no-untyped-def]
    network = made(tmp_path, layers=layers)
    words = torch.tensor([[1, 2, 2, 3]])
    with torch.no_grad():
        item, query = (network(words, words > 0, asked=asked)[0].numpy() for asked in (False, True))
        single = alone(network, 3).numpy()
    sums = single[0] + 2 * single[1] + single[2]
    np.testing.assert_allclose(item, factor(sums), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(query, sums / 4, rtol=1e-4, atol=1e-5)


def trained(network: NgramNetwork, loudest: float) -> NgramNetwork:
    """Move all weights, those of the other words of an n-gram too."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            size = 0.01 if "ngrams" not in name else loudest
            weight.add_(size * torch.randn(weight.shape, generator=generator))
        network.embedding.weight[0] = 0
    return network


@pytest.mark.parametrize(("loudest", "enough"), [(0.0, True), (0.002, True), (0.2, False)])
def test_candidates_give_what_all_outputs_give(tmp_path: Path, loudest: float, enough: bool) -> None:
    network = trained(made(tmp_path), loudest)
    ids = torch.from_numpy(np.random.default_rng(3).integers(1, len(network.lexicon), (60, 12)))
    with torch.no_grad():
        found = network(ids, ids > 0)
        network._candidates = Candidates(network, None)
        assert network._candidates.enough == enough
    everything = network(ids, ids > 0).detach()  # with gradient: no candidates
    assert float((found - everything).abs().sum() / everything.sum()) < 2e-5


def test_candidates_are_those_of_the_weights_as_they_are(tmp_path: Path) -> None:
    network = made(tmp_path)
    ids = torch.tensor([[1, 2, 3]])
    with torch.no_grad():
        before = network(ids, ids > 0)
        network.last.mul_(2.0)
        after = network(ids, ids > 0, asked=True)
    torch.testing.assert_close(after, network(ids, ids > 0, asked=True).detach())
    assert not torch.allclose(before, after)


@pytest.mark.parametrize("sparse", [True, False])
def test_outputs_above_zero_alone_have_the_gradient_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sparse: bool
) -> None:
    network = trained(made(tmp_path), 0.01)
    ids = torch.from_numpy(np.random.default_rng(3).integers(1, len(network.lexicon), (6, 9)))
    monkeypatch.setattr("reml.retrievers.snrm.network.SPARSE", 1 if sparse else 10**9)
    weights = torch.randn(network.width, generator=torch.Generator().manual_seed(1))
    network.train()
    vectors = network(ids, ids > 0)
    (vectors @ weights).sum().backward()
    found = {name: one.grad.clone() for name, one in network.named_parameters() if one.grad is not None}
    network.zero_grad()
    padded = torch.nn.functional.pad(ids, (1, 1)).unfold(1, 3, 1).reshape(-1, 3)
    each = network.outputs(padded).view(6, 9, -1).sum(1)
    steady = 8.0 * network.words_of_item
    by_hand = torch.log1p(each) * (network.words_of_item + steady) / (9 + steady)
    torch.testing.assert_close(vectors, by_hand, rtol=1e-4, atol=1e-5)
    (by_hand @ weights).sum().backward()  # type: ignore[no-untyped-call]
    assert {"gains.weight", "embedding.weight", "ngrams.weight", "layers.0.weight"} == set(found)
    for name, one in network.named_parameters():
        assert one.grad is not None
        torch.testing.assert_close(found[name], one.grad, rtol=1e-3, atol=1e-4)


def test_a_saved_network_is_not_taken_for_one_of_another_start_or_form(tmp_path: Path) -> None:
    made(tmp_path / "start").save(tmp_path / "model")
    model = str(tmp_path / "model")
    kept = SNRM(model=model, cut=CUT).encoder(collection(), tmp_path / "other").module
    assert isinstance(kept, NgramNetwork)
    assert (kept.start, kept.form.pooling) == ("codes", "log")
    SNRM(model=model, start="codes", layers=Layers(width=1_000), cut=CUT).index(collection(), tmp_path / "same")
    with pytest.raises(ValueError, match="was made with start 'codes', and 'random' is asked for"):
        SNRM(model=model, start="random").index(collection(), tmp_path / "index")
    with pytest.raises(ValueError, match=r"was made with layers .*pooling='log'.*pooling='mean'.* is asked for"):
        SNRM(model=model, layers=Layers(pooling="mean")).index(collection(), tmp_path / "index")


def test_hidden_layers_that_cannot_carry_codes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"one hidden layer of 202, .* not \(300, 100\): leave out `hidden`"):
        made(tmp_path, layers={"hidden": (300, 100)})

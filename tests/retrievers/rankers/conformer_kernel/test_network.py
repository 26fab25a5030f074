from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import nn

from reml.retrievers.rankers.conformer_kernel.network import BothMatches, Form, LatentMatch, TermNetwork
from reml.retrievers.rankers.word_pieces import WordPieces
from tests.small_cross_encoder import write_cross_encoder

FORM = Form(heads=2, window=3, pool=4, stride=2, item_tokens=12, dropout=0.0)


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True)) / (math.hypot(*one) * math.hypot(*other))


def latent_score(network: LatentMatch, term: list[float], words: list[list[float]]) -> float:
    """Cosines, ten kernels, sums over windows, logarithm, a layer of ReLU, the best window."""
    first, last = network.judge[0], network.judge[3]
    assert isinstance(first, nn.Linear)
    assert isinstance(last, nn.Linear)
    scores = []
    for start in range(0, len(words), 2):
        logs = []
        for kernel in range(10):
            centre = 1 - 2 * kernel / 10
            near = [math.exp(-((cosine(term, word) - centre) ** 2) / 0.02) for word in words[start : start + 4]]
            logs.append(math.log(sum(near) + 1e-6))
        hidden = torch.relu(first.weight @ torch.tensor(logs) + first.bias)
        scores.append((last.weight[0] @ hidden + last.bias).item())
    return max(scores)


def test_latent_scores_are_those_of_the_equations() -> None:
    torch.manual_seed(0)
    network = LatentMatch((20, 8), FORM).eval()
    with torch.no_grad():
        for part in (network.asked, network.context):
            part.weight.normal_()
            part.bias.normal_()
    terms, pieces, mask = torch.tensor([[3, 7]]), torch.randint(20, (1, 9)), torch.arange(9)[None] < 7
    words = network.embedding(pieces)[0]
    inner = words + network.positions[:9]
    for layer in network.layers:
        inner = layer(inner[None], mask)[0]
    weights, bias = network.context.weight[0], network.context.bias
    mixed = (weights[0] * words + weights[1] * inner + bias)[:7].tolist()
    states = network.states(pieces, mask)
    torch.testing.assert_close(states[0, :7], torch.tensor(mixed))
    vectors = network.embedding(terms)[0] @ network.asked.weight.T + network.asked.bias
    expected = [latent_score(network, vector.tolist(), mixed) for vector in vectors]
    assert network(terms, states, mask)[0].tolist() == pytest.approx(expected, abs=1e-4)


def test_an_item_without_words_has_a_score_and_leaves_the_mask_alone() -> None:
    network, mask = LatentMatch((20, 8), FORM).eval(), torch.zeros(1, 5, dtype=torch.bool)
    pieces = torch.zeros(1, 5, dtype=torch.long)
    found = network(torch.tensor([[3]]), network.states(pieces, mask), mask)
    empty = network.judge(torch.full((10,), math.log(1e-6)))
    assert found.item() == pytest.approx(empty.item(), abs=1e-5)
    assert not mask.any()


def test_both_are_normalised_and_added_up_for_real_terms_alone() -> None:
    torch.manual_seed(0)
    both, asked = BothMatches(), torch.tensor([[True, True, False], [True, False, False]])
    latent, exact = torch.randn(2, 3), torch.rand(2, 3)
    found = both(latent, exact, asked)
    parts = [scores[asked] for scores in (latent, exact)]
    normal = [(part - part.mean()) / (part.var(unbiased=False) + 1e-5).sqrt() for part in parts]
    torch.testing.assert_close(found[asked], normal[0] + normal[1])
    assert found[~asked].tolist() == [0, 0, 0]
    before = both.norm.running_mean
    assert before is not None
    kept = before.clone()
    one = both(latent, exact, asked & (torch.arange(3) > 0))  # a single term has no deviation
    both.eval()
    torch.testing.assert_close(one, both(latent, exact, asked & (torch.arange(3) > 0)))
    assert torch.equal(kept, before)


def test_a_score_is_the_sum_of_those_of_single_terms(tmp_path: Path) -> None:
    model = write_cross_encoder(tmp_path / "model", labels=None)
    torch.manual_seed(0)
    form = Form(kind="ndrm3", heads=4, window=3, pool=4, stride=2, item_tokens=12, hidden=8)
    network = TermNetwork.begun(model, form).eval()
    assert network.exact is not None
    network.exact.count([[5, 6, 7], [6, 8]])
    pieces = torch.tensor([[5, 6, 6, 9]])
    shown = network.shown(pieces, torch.ones_like(pieces) > 0)
    alone = [network.term_scores(torch.tensor([[term]]), torch.ones(1, 1) > 0, shown) for term in (5, 9, 5)]
    asked = torch.tensor([[True, True, True, False]])
    together = network.term_scores(torch.tensor([[5, 9, 5, 6]]), asked, shown)
    torch.testing.assert_close(together[0, :3], torch.cat(alone)[:, 0])
    assert together[0, 3] == 0


def test_a_new_network_begins_with_the_models_embeddings(tmp_path: Path) -> None:
    model = write_cross_encoder(tmp_path / "model", labels=None)
    network = TermNetwork.begun(model, Form(heads=4))
    assert network.latent is not None
    pieces, embeddings = WordPieces.of_model(model)
    apart = embeddings - embeddings.mean(dim=0)
    torch.testing.assert_close(network.latent.embedding.weight.detach(), apart / apart.std())
    assert network.pieces.fingerprint == pieces.fingerprint
    vectors = network.latent.term_vectors(torch.arange(5))
    torch.testing.assert_close(vectors, network.latent.embedding.weight[:5])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"window": 4}, "window is 4, but must be odd"),
        ({"stride": 400}, "stride 400 is above pool 300"),
        ({"hidden": 30}, "layers of 30 cannot be divided among 32 heads"),
        ({"kind": "ndrm4"}, "must be one of 'ndrm1'"),
        ({"dropout": 1.0}, "dropout is 1.0"),
    ],
)
def test_forms_that_cannot_be_are_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Form(**settings)  # type: ignore[arg-type]

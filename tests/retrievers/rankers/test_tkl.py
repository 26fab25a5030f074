"""TKL against loops written from the equations."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reml.contract.predictors import Feedback
from reml.contract.retrieved import Queries
from reml.contract.retrievers import Scorer
from reml.feedback.contrastive import Contrastive
from reml.feedback.weak_supervision import Rank
from reml.files.atomic import CorruptError
from reml.retrievers.rankers.tkl import CENTRES, TKL, Contextualiser, Form, RegionNetwork, Saturation, best_regions
from reml.testing import TEXTS, MemoryCollection, ScorerContract
from tests.retrievers.rankers.learning import found, from_yaml, learn
from tests.small_cross_encoder import write_cross_encoder

PAGES = MemoryCollection([*TEXTS, "", "fish " * 60, "sea"], ["", *["page"] * 4, "", "", ""])
SMALL = Form(heads=4, feed_forward=16, chunk=8, overlap=2, region=6, item_tokens=90)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_cross_encoder(tmp_path_factory.mktemp("tkl") / "model", labels=None)


def made(folder: str, batch_size: int = 32) -> TKL:
    torch.manual_seed(0)
    ranker = TKL(folder, new=SMALL, batch_size=batch_size)
    assert ranker.module is ranker.network
    return ranker


class TestTKL(ScorerContract):
    @pytest.fixture(autouse=True)
    def _written(self, folder: str) -> None:
        self.folder = folder

    def make(self) -> Scorer:
        return made(self.folder)


def test_a_word_sees_its_chunk_and_those_beside_it() -> None:
    """Each chunk of 4 goes through the transformer with 1 word more on each side, at positions of its own."""
    torch.manual_seed(0)
    context = Contextualiser(8, Form(heads=2, feed_forward=8, chunk=4, overlap=1)).eval()
    words, length = torch.randn(1, 12, 8), 10
    mask = torch.arange(12)[None] < length
    with torch.no_grad():
        context.mixture.fill_(0.3)
        mixed = context.items(words, mask)[0]
        for start in range(0, length, 4):
            seen = [place for place in range(start - 1, start + 5) if 0 <= place < length]
            positions = context.shown[[place - start + 1 for place in seen]]
            alone = context.layers((words[0, seen] + positions)[None])[0]
            for row, place in enumerate(seen):
                if start <= place < start + 4:
                    expected = 0.3 * words[0, place] + 0.7 * alone[row]
                    torch.testing.assert_close(mixed[place], expected, atol=1e-5, rtol=1e-4)
    assert mixed[length:].abs().max() == 0


def test_a_query_is_contextualised_as_a_whole() -> None:
    torch.manual_seed(0)
    context = Contextualiser(8, Form(heads=2, feed_forward=8)).eval()
    words, mask = torch.randn(2, 5, 8), torch.tensor([[True] * 3 + [False] * 2, [False] * 5])
    with torch.no_grad():
        mixed = context.queries(words, mask)
        alone = context.layers((words[0, :3] + context.asked[:3])[None])[0]
    torch.testing.assert_close(mixed[0, :3], (words[0, :3] + alone) / 2, atol=1e-5, rtol=1e-4)
    assert mixed[0, 3:].abs().max() == mixed[1].abs().max() == 0


def test_saturation_begins_as_a_logarithm() -> None:
    torch.manual_seed(0)
    sums = torch.tensor([0.01, 0.5, 1.0, 20.0]).reshape(1, 1, 1, 4)
    found = Saturation(8)(sums, torch.zeros(1, 1, 8), torch.ones(1, 1))
    torch.testing.assert_close(found, sums.log(), atol=0.2, rtol=0.1)


def region_score(network: RegionNetwork, terms: torch.Tensor, words: torch.Tensor, start: int) -> float:
    """Sum over terms and kernels of u_k (a K_k^(1 / b) - c)."""
    inside, total = words[start : start + network.form.region], 0.0
    for term in terms:
        salience = (network.saturation.salience.weight[0] @ term).item()
        told = torch.tensor([salience, len(inside) / network.form.region])
        scale, root, shift = (network.saturation.shape.weight @ told + network.saturation.shape.bias).tolist()
        near = torch.nn.functional.cosine_similarity(term[None], inside).tolist()
        for weight, centre in zip(network.kernel_weights.tolist(), CENTRES, strict=True):
            kernel = sum(math.exp(-((cosine - centre) ** 2) / 0.02) for cosine in near)
            total += weight * (scale * max(kernel, 1e-10) ** (1 / root) - shift)
    return total


def test_regions_score_as_in_the_equations(folder: str) -> None:
    network = made(folder).network
    torch.manual_seed(0)
    with torch.no_grad():
        network.saturation.shape.weight.normal_(std=0.05)
        network.saturation.shape.bias.uniform_(2, 5)
        terms, words, length = torch.randn(1, 4, 32), torch.randn(1, 11, 32), 9
        asked, mask = torch.tensor([[True] * 3 + [False]]), torch.arange(11)[None] < length
        scores = network.region_scores(terms, asked, words, mask)[0]
    for place, score in enumerate(scores.tolist()):
        if 2 * place < length:
            expected = region_score(network, terms[0, :3], words[0, :length], 2 * place)
            assert score == pytest.approx(expected, abs=1e-3, rel=1e-4)
        else:
            assert score == -math.inf


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=12), st.integers(1, 4), st.integers(1, 5))
def test_best_regions_share_no_word(scores: list[int], count: int, apart: int) -> None:
    expected: list[int] = []
    for _ in range(count):
        free = [place for place in range(len(scores)) if all(abs(place - other) >= apart for other in expected)]
        expected += [max(free, key=lambda place: (scores[place], -place))] if free else []
    chosen = best_regions(torch.tensor([[*scores, -math.inf]], dtype=torch.float32), count, apart)[0].tolist()
    assert chosen == expected + [-1] * (count - len(expected))


def test_the_score_weighs_the_best_regions_and_their_neighbours(folder: str) -> None:
    """Regions of 6 words, one every 2: the best three are 3 apart, and neighbours past an end are the end itself."""
    network = made(folder).network
    torch.manual_seed(0)
    with torch.no_grad():
        network.region_weights.normal_()
        weights = network.region_weights.tolist()
        scores = [1.0, 7.0, 5.0, 0.5, -2.0, 3.0, 8.0]
        pooled = network.pooled(torch.tensor([[*scores, -math.inf], [-math.inf] * 8, [4.0, *[-math.inf] * 7]]))
    expected = 0.0
    for row, best in enumerate([6, 1]):  # 5 and 7 are as near to 6, 0 and 2 to 1; 3 and 4 remain, too near to both
        for column, step in enumerate([0, -1, 1, -2, 2]):
            expected += weights[row][column] * scores[min(max(best + step, 0), 6)]
    third = [place for place in range(7) if abs(place - 6) >= 3 and abs(place - 1) >= 3]
    assert not third
    assert pooled[0].item() == pytest.approx(expected, abs=1e-4)
    assert pooled[1].item() == 0
    assert pooled[2].item() == pytest.approx(4 * sum(weights[0]), abs=1e-4)


def test_a_text_scores_the_same_beside_longer_ones(folder: str) -> None:
    queries, items = Queries.of([TEXTS[0], "sea", "", "the penguins and the river fish"]), PAGES.get(PAGES.rows())
    positions = np.tile(np.arange(len(items)), (len(queries), 1))
    together = made(folder, batch_size=7).score(queries, items, positions).detach()
    ranker = made(folder)
    for query, text in enumerate(queries.texts):
        for place, item in enumerate(items):
            alone = ranker.score(Queries.of([text]), [item], np.array([[0]])).detach()
            torch.testing.assert_close(alone[0, 0], together[query, place], atol=1e-4, rtol=1e-4)
    assert together[2].tolist() == [0] * len(items), "a query without words"
    assert together[[0, 1, 3]].std() > 0


def test_too_long_texts_are_cut(folder: str) -> None:
    ranker, long = made(folder), MemoryCollection(["city " * 90, "city " * 88 + "a b", "city " * 90 + "a b"], [""] * 3)
    query, places = Queries.of(["river of"]), np.arange(3)[None]
    scores = ranker.score(query, long.get(long.rows()), places).detach()[0]
    assert scores[0] == scores[2]
    assert scores[0] != scores[1]
    many = ranker.score(Queries.of(["river " * 30, "river " * 41]), long.get(long.rows()), np.array([[0], [0]]))
    assert many[0].item() == pytest.approx(many[1].item(), abs=1e-4)


@pytest.mark.parametrize("objective", [Rank(), Contrastive()])
def test_it_learns_from_a_random_start(folder: str, objective: Feedback, tmp_path: Path) -> None:
    ranker = made(folder)
    assert found(ranker) != [0, 1, 2, 3]
    learn(ranker, objective, tmp_path / "fit", steps=60)
    assert found(ranker) == [0, 1, 2, 3]


def test_it_comes_back_as_it_was(folder: str, tmp_path: Path) -> None:
    ranker, items = made(folder), PAGES.get(PAGES.rows())
    ranker.save(tmp_path / "saved")
    again, places = TKL(str(tmp_path / "saved")), np.arange(len(items))[None]
    assert again.network.form == SMALL
    assert again.fingerprint() == ranker.fingerprint()
    query = Queries.of(["the fish in the river"])
    torch.testing.assert_close(again.score(query, items, places), ranker.score(query, items, places))
    with torch.no_grad():
        again.network.region_weights.add_(1)
    assert again.fingerprint() != ranker.fingerprint()


def test_what_is_no_tkl_is_refused(folder: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no folder of a TKL network: name one that `save` wrote, or give `new`"):
        _ = TKL(folder).module
    made(folder).save(tmp_path / "saved")
    weights = tmp_path / "saved" / "network.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(CorruptError, match=r"network\.safetensors"):
        _ = TKL(str(tmp_path / "saved")).module
    with pytest.raises(ValueError, match="vectors of 32 cannot be divided among 5 heads"):
        _ = TKL(folder, new=Form(heads=5)).module
    with pytest.raises(ValueError, match="stride 40 is above region 30"):
        Form(stride=40)


def test_a_configuration_names_it_and_its_form(folder: str) -> None:
    form: dict[str, object] = {"heads": 4, "chunk": 12, "best": 2}
    made = from_yaml("reml.retrievers.rankers.tkl.TKL", {"model": folder, "new": form})
    assert isinstance(made, TKL)
    assert made.new == Form(heads=4, chunk=12, best=2)
    assert made.score(Queries.of(["river"]), PAGES.get(PAGES.rows()), np.array([[0, 1]])).shape == (1, 2)

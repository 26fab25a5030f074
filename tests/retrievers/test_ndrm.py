"""Search by an inverted index of scores against all items scored by the network itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from reml.access.presenting.scoring import scored
from reml.contract.retrieved import Queries
from reml.contract.retrievers import Encoder, Indexer
from reml.retrievers.ndrm import NDRM
from reml.retrievers.rankers.conformer_kernel import ConformerKernel, Form
from reml.retrievers.rankers.conformer_kernel.network import Kind, TermNetwork
from reml.retrievers.rankers.conformer_kernel.term_encoder import TermEncoder, Terms, floors
from reml.testing import TEXTS, EncoderContract, IndexerContract, MemoryCollection, matrix
from tests.predictors.conftest import SIZE
from tests.small_cross_encoder import write_cross_encoder

COLLECTION = MemoryCollection([*TEXTS, "", "fish fish fish", "sea"], [""] * 8)
QUERIES = Queries.of(["the river", "city of the sea sea", "fish", "", "rice and zinc of chad"])


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[Kind, str]:
    folder = tmp_path_factory.mktemp("ndrm")
    model, folders = write_cross_encoder(folder / "model", labels=None), {}
    kinds: tuple[Kind, ...] = ("ndrm1", "ndrm2", "ndrm3")
    for kind in kinds:
        torch.manual_seed(0)
        form = Form(kind=kind, heads=4, window=3, pool=12, stride=4, item_tokens=60, query_tokens=60, title=False)
        ranker = ConformerKernel(model, new=form)
        if kind != "ndrm1":
            ranker.fit(MemoryCollection(TEXTS))
        ranker.save(folder / kind)
        folders[kind] = str(folder / kind)
    return folders


class TestNDRM(IndexerContract):
    """Exact matches of letters, which random weights cannot hide."""

    @pytest.fixture(autouse=True)
    def _saved(self, saved: dict[Kind, str]) -> None:
        self.folder = saved["ndrm2"]

    def make(self) -> Indexer:
        return NDRM(self.folder)


class TestTermEncoder(EncoderContract):
    trained = False

    @pytest.fixture(autouse=True)
    def _saved(self, saved: dict[Kind, str]) -> None:
        self.network = ConformerKernel(saved["ndrm3"]).network

    def make(self) -> Encoder:
        return TermEncoder(self.network, floors(self.network, COLLECTION.get(COLLECTION.rows())), 5)


def term_scores(network: TermNetwork) -> np.ndarray:
    """What each term has with each item, [items, V], one pair at a time."""
    rows = []
    for item in COLLECTION.get(COLLECTION.rows()):
        (pieces,) = network.pieces.number([item.text], network.form.item_tokens)
        ids = torch.tensor([pieces or [0]])
        with torch.no_grad():
            shown = network.shown(ids, torch.full(ids.shape, bool(pieces)))
            one = [network.term_scores(torch.tensor([[term]]), torch.ones(1, 1) > 0, shown) for term in range(SIZE)]
        rows.append(torch.cat(one)[:, 0].numpy())
    return np.stack(rows)


def terms_of(network: TermNetwork, text: str) -> list[int]:
    (pieces,) = network.pieces.number([text], network.form.query_tokens)
    return pieces


@pytest.mark.parametrize(("kind", "expand"), [("ndrm1", 0), ("ndrm1", 7), ("ndrm2", 0), ("ndrm3", 0), ("ndrm3", 7)])
@pytest.mark.parametrize("sampled", [2, 8])
def test_search_is_scoring_all_items_by_the_terms_that_are_kept(
    saved: dict[Kind, str], kind: Kind, expand: int, sampled: int, tmp_path: Path
) -> None:
    """A term that is not kept, or scores below its floor, counts as its floor."""
    retriever = NDRM(saved[kind], expand=expand, sampled=sampled).index(COLLECTION, tmp_path / "index")
    encoder, items = retriever.encoder, COLLECTION.get(COLLECTION.rows())
    every, kept = term_scores(encoder.network), [set(terms_of(encoder.network, item.text)) for item in items]
    lowest = every[[0, 7] if sampled == 2 else slice(None)].min(axis=0)
    np.testing.assert_allclose(encoder.floors, lowest, atol=1e-4)
    found = matrix(encoder.encode_items(items)) > 0
    if expand:
        assert (found.sum(axis=1) > [len(own) for own in kept]).any(), "no other term is kept"
    else:
        assert all(set(np.flatnonzero(row)) <= own for row, own in zip(found, kept, strict=True))
    restricted = np.where(found, np.maximum(every, lowest), lowest)
    hits = retriever.search(QUERIES, len(items))
    for query, text in enumerate(QUERIES.texts):
        terms = terms_of(encoder.network, text)
        whole = restricted[:, terms].sum(axis=1) - lowest[terms].sum()
        rows = hits.rows[query][hits.mask[query]]
        np.testing.assert_allclose(hits.scores[query][hits.mask[query]], whole[rows], atol=1e-4)
        np.testing.assert_allclose(np.sort(whole)[::-1][: len(rows)], whole[rows], atol=1e-4)
        assert (np.delete(whole, rows) < 1e-4).all(), "an item that is not found has nothing above the floors"


@pytest.mark.parametrize("kind", ["ndrm1", "ndrm3"])
def test_with_all_terms_kept_it_is_the_network_itself(saved: dict[Kind, str], kind: Kind, tmp_path: Path) -> None:
    """But for an item without words, which keeps none."""
    retriever = NDRM(saved[kind], expand=SIZE).index(COLLECTION, tmp_path / "index")
    ranker, items = ConformerKernel(saved[kind]), COLLECTION.get(COLLECTION.rows())
    with torch.no_grad():
        scores = ranker.score(QUERIES, items, np.tile(np.arange(8), (len(QUERIES), 1))).numpy()
    hits = retriever.search(QUERIES, 7)
    for query, text in enumerate(QUERIES.texts):
        constant = retriever.encoder.floors[terms_of(ranker.network, text)].sum()
        rows = hits.rows[query][hits.mask[query]]
        assert 5 not in rows
        np.testing.assert_allclose(hits.scores[query][: len(rows)], scores[query, rows] - constant, atol=1e-4)
        order = sorted((row for row in range(8) if row != 5), key=lambda row: -scores[query, row])
        np.testing.assert_allclose(scores[query, rows], scores[query, order[: len(rows)]], atol=1e-4)


@pytest.mark.parametrize("expand", [0, 7])
def test_a_ranker_that_keeps_scores_ranks_as_the_search_finds(
    saved: dict[Kind, str], expand: int, tmp_path: Path
) -> None:
    folder, items = saved["ndrm3"], COLLECTION.get(COLLECTION.rows())
    retriever = NDRM(folder, expand=expand, sampled=3).index(COLLECTION, tmp_path / "index")
    terms = Terms(expand=expand, sampled=3)
    positions = np.tile(np.arange(8), (len(QUERIES), 1))
    ranker = ConformerKernel(folder, kept=terms)
    ranker.keep(COLLECTION, tmp_path / "kept")
    scores = scored(ranker, QUERIES, items, positions).numpy()
    hits = retriever.search(QUERIES, 8)
    for query in range(len(QUERIES)):
        rows = hits.rows[query][hits.mask[query]]
        np.testing.assert_allclose(scores[query, rows], hits.scores[query][: len(rows)], atol=1e-4)
        assert (np.delete(scores[query], rows) < 1e-4).all()
    assert np.ptp(scores) > 0.1, "all items are alike"
    again = ConformerKernel(folder, kept=terms)
    again.keep(COLLECTION, tmp_path / "kept")
    with torch.no_grad():
        again.network.latent.context.weight.data = torch.full((1, 2), torch.nan)  # type: ignore[union-attr]
    with pytest.raises(ValueError, match=r"scores that are no numbers \(NaN\)"):
        scored(again, QUERIES, items, positions)
    assert again.fingerprint() != ranker.fingerprint() != ConformerKernel(folder).fingerprint()


def test_what_is_kept_serves_without_the_network_and_what_is_shown_otherwise_is_read(
    saved: dict[Kind, str], tmp_path: Path
) -> None:
    ranker, items = ConformerKernel(saved["ndrm1"], kept=Terms()), COLLECTION.get(COLLECTION.rows())
    ranker.keep(COLLECTION, tmp_path)
    positions = np.tile(np.arange(8), (len(QUERIES), 1))
    before = scored(ranker, QUERIES, items, positions)
    shown = [replace(items[0], text="the sea"), *items[1:]]
    after = scored(ranker, QUERIES, shown, positions)
    torch.testing.assert_close(after[:, 1:], before[:, 1:])
    alone = scored(ranker, QUERIES, [items[7]], np.zeros((len(QUERIES), 1), dtype=np.int64))
    torch.testing.assert_close(alone[:, 0], before[:, 7])
    assert not torch.equal(after[:, 0], before[:, 0])
    read = ranker._over(COLLECTION, tmp_path).encoder.encode_items(shown[:1])
    asked = matrix(TermEncoder(ranker.network, np.zeros(SIZE, dtype=np.float32)).encode_queries(QUERIES.texts))
    np.testing.assert_allclose(after[:, 0].numpy(), (asked @ matrix(read).T)[:, 0], atol=1e-5)
    with torch.no_grad():
        for weights in ranker.network.parameters():
            weights.data = torch.full_like(weights, torch.nan)  # unseen by the count of changes: nothing is read anew
    torch.testing.assert_close(scored(ranker, QUERIES, items, positions), before)


def test_terms_that_are_kept_beside_are_the_nearest(saved: dict[Kind, str]) -> None:
    network = ConformerKernel(saved["ndrm1"]).network
    assert network.latent is not None
    nothing = np.full(SIZE, -1e9, dtype=np.float32)  # no floor hides a term
    (item,) = COLLECTION.get(np.array([7]))
    own = set(terms_of(network, item.text))
    pieces = torch.tensor([terms_of(network, item.text)])
    with torch.no_grad():
        states = network.latent.states(pieces, torch.ones_like(pieces) > 0)[0]
        vectors = network.latent.term_vectors(torch.arange(SIZE))
    nearness = torch.cosine_similarity(vectors[:, None], states[None], dim=-1).amax(dim=1)
    others = sorted((term for term in range(SIZE) if term not in own), key=lambda term: -nearness[term].item())
    for expand in (0, 1, 4):
        kept = TermEncoder(network, nothing, expand).encode_items([item]).dimensions
        assert set(kept.tolist()) == own | set(others[:expand])


def test_what_cannot_be_expanded_or_is_untrained_is_refused(saved: dict[Kind, str], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ndrm2 scores exact matches alone"):
        NDRM(saved["ndrm2"], expand=3).index(COLLECTION, tmp_path / "index")
    with pytest.raises(ValueError, match="is no folder of a conformer-kernel network"):
        NDRM(str(Path(saved["ndrm1"]).parent / "model")).index(COLLECTION, tmp_path / "other")


def test_queries_are_counts_of_terms(saved: dict[Kind, str]) -> None:
    encoder = TermEncoder(ConformerKernel(saved["ndrm1"]).network, np.zeros(SIZE, dtype=np.float32))
    found = matrix(encoder.encode_queries(["river of river", ""]))
    expected = np.zeros((2, SIZE))
    for term in terms_of(encoder.network, "river of river"):
        expected[0, term] += 1
    np.testing.assert_array_equal(found, expected)
    assert found.max() == 2

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from reml.contract.predictors import Feedback
from reml.contract.retrieved import Queries
from reml.contract.retrievers import Scorer
from reml.feedback.contrastive import Contrastive
from reml.feedback.weak_supervision import Rank
from reml.files.atomic import CorruptError
from reml.retrievers.rankers.conformer_kernel import ConformerKernel, Form
from reml.retrievers.rankers.conformer_kernel.network import Kind
from reml.testing import TEXTS, MemoryCollection, ScorerContract
from tests.retrievers.rankers.learning import found, from_yaml, learn
from tests.small_cross_encoder import write_cross_encoder

TWO_PAGES = MemoryCollection([*TEXTS, "", "fish " * 60, "sea"], ["", *["page"] * 4, "", "", ""])
FORM = Form(heads=4, window=3, pool=12, stride=4, item_tokens=120)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_cross_encoder(tmp_path_factory.mktemp("conformer") / "model", labels=None)


def made(folder: str, kind: Kind = "ndrm3", batch_size: int = 32) -> ConformerKernel:
    torch.manual_seed(0)
    form = Form(kind=kind, heads=4, window=3, pool=12, stride=4, item_tokens=120)
    ranker = ConformerKernel(folder, new=form, batch_size=batch_size)
    if kind == "ndrm1":
        assert ranker.module is ranker.network
    else:
        ranker.fit(TWO_PAGES)
    return ranker


class TestNDRM1(ScorerContract):
    kind: Kind = "ndrm1"

    @pytest.fixture(autouse=True)
    def _written(self, folder: str) -> None:
        self.folder = folder

    def make(self) -> Scorer:
        return made(self.folder, self.kind)


class TestNDRM2(TestNDRM1):
    kind = "ndrm2"


class TestNDRM3(TestNDRM1):
    kind = "ndrm3"


@pytest.mark.parametrize("kind", ["ndrm1", "ndrm2", "ndrm3"])
def test_a_text_scores_the_same_beside_longer_ones(folder: str, kind: Kind) -> None:
    queries, items = Queries.of([TEXTS[0], "sea", "the penguins and the river fish"]), TWO_PAGES.get(TWO_PAGES.rows())
    positions = np.tile(np.arange(len(items)), (len(queries), 1))
    together = made(folder, kind, batch_size=7).score(queries, items, positions).detach()
    ranker = made(folder, kind)
    for query, text in enumerate(queries.texts):
        for place, item in enumerate(items):
            alone = ranker.score(Queries.of([text]), [item], np.array([[0]])).detach()
            torch.testing.assert_close(alone[0, 0], together[query, place], atol=2e-5, rtol=1e-4)
    assert together.std() > 0


def test_scores_do_not_know_the_other_terms_and_too_long_ones_are_cut(folder: str) -> None:
    items, places = TWO_PAGES.get(TWO_PAGES.rows()), np.arange(len(TWO_PAGES))[None]
    ranker = made(folder)

    def score(text: str) -> torch.Tensor:
        return ranker.score(Queries.of([text]), items, places).detach()

    torch.testing.assert_close(score("city river"), score("city") + score("river"), atol=1e-5, rtol=1e-4)
    assert score("").tolist() == [[0] * len(items)]
    torch.testing.assert_close(score("city " * 20), score("city " * 31), atol=1e-5, rtol=1e-4)
    long = MemoryCollection(["city " * 120, "city " * 119 + "river", "city " * 120 + "river"], [""] * 3)
    exact = made(folder, "ndrm2").score(Queries.of(["river"]), long.get(long.rows()), np.arange(3)[None]).detach()[0]
    assert exact[0] == exact[2] == 0 < exact[1]


@pytest.mark.parametrize(("kind", "objective"), [("ndrm1", Rank()), ("ndrm1", Contrastive()), ("ndrm3", Rank())])
def test_it_learns_from_a_random_start(folder: str, kind: Kind, objective: Feedback, tmp_path: Path) -> None:
    ranker = made(folder, kind)
    assert found(ranker) != [0, 1, 2, 3]
    learn(ranker, objective, tmp_path / "fit", steps=60)
    assert found(ranker) == [0, 1, 2, 3]


def test_exact_matches_learn_their_saturation(folder: str) -> None:
    """Scores lead to the two weights that there are."""
    ranker = made(folder, "ndrm2")
    items = TWO_PAGES.get(TWO_PAGES.rows())
    scores = ranker.score(Queries.of(["fish river"]), items, np.array([[0, 4]]))
    (scores[0, 1] - scores[0, 0]).backward()  # type: ignore[no-untyped-call]
    exact = ranker.network.exact
    assert exact is not None
    assert exact.weight.grad is not None
    assert exact.weight.grad.abs() > 0


@pytest.mark.parametrize("kind", ["ndrm1", "ndrm2", "ndrm3"])
def test_it_comes_back_as_it_was(folder: str, kind: Kind, tmp_path: Path) -> None:
    ranker, items = made(folder, kind), TWO_PAGES.get(TWO_PAGES.rows())
    ranker.save(tmp_path / "saved")
    again, places = ConformerKernel(str(tmp_path / "saved")), np.arange(len(items))[None]
    assert again.fingerprint() == ranker.fingerprint()
    query = Queries.of(["the fish in the river"])
    torch.testing.assert_close(again.score(query, items, places), ranker.score(query, items, places))
    with torch.no_grad():
        next(again.module.parameters()).add_(1)
    assert again.fingerprint() != ranker.fingerprint()


def test_what_is_damaged_or_not_there_is_refused(folder: str, tmp_path: Path) -> None:
    made(folder).save(tmp_path / "saved")
    with pytest.raises(ValueError, match="is no folder of a conformer-kernel network: name one that `save` wrote"):
        _ = ConformerKernel(folder).module
    pieces = tmp_path / "saved" / "word_pieces.json"
    pieces.write_text(pieces.read_text().replace("river", "rivet"))
    with pytest.raises(CorruptError, match=r"word_pieces\.json"):
        _ = ConformerKernel(str(tmp_path / "saved")).module


def test_exact_matches_are_not_scored_before_terms_are_counted(folder: str) -> None:
    items = TWO_PAGES.get(TWO_PAGES.rows())
    unfitted = ConformerKernel(folder, new=Form(kind="ndrm2", heads=4))
    with pytest.raises(ValueError, match=r"call `fit\(collection\)` once"):
        unfitted.score(Queries.of(["sea"]), items, np.array([[0]]))
    latent = ConformerKernel(folder, new=FORM)
    before = latent.fingerprint()
    latent.fit(TWO_PAGES)
    assert latent.fingerprint() == before, "ndrm1 counts nothing"


def test_a_configuration_names_it_and_its_form(folder: str, tmp_path: Path) -> None:
    path = "reml.retrievers.rankers.conformer_kernel.ConformerKernel"
    new = from_yaml(path, {"model": folder, "new": {"kind": "ndrm1", "heads": 4}})
    assert isinstance(new, ConformerKernel)
    assert new.new == Form(kind="ndrm1", heads=4)
    made(folder).save(tmp_path / "saved")
    saved = from_yaml(path, {"model": str(tmp_path / "saved")})
    assert isinstance(saved, ConformerKernel)
    assert saved.network.form.kind == "ndrm3"

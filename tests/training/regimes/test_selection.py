"""The last stage of a cascade: a student learns which windows its teacher scores best."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from reml.access.responses import gather
from reml.contract.examples import Example
from reml.contract.predictors import Batch, Feedback
from reml.contract.retrieved import Hits, Queries
from reml.feedback.contrastive import Contrastive
from reml.feedback.kl_distillation import KlDistillation
from reml.feedback.lambda_loss import LambdaLoss
from reml.feedback.score_mse import ScoreMse
from reml.retrievers.rankers.cross_encoder import CrossEncoder
from reml.retrievers.rankers.idcm import IDCM, Form
from reml.testing import MemoryCollection
from reml.training.data.ranked_examples import FromLabels, RankedExamples
from reml.training.data.sets import TrainSet
from reml.training.loop.fit import fit
from reml.training.loop.metrics import read_metrics
from reml.training.regimes.ranking import Ranking, RankingObjective
from reml.training.regimes.regimes import Regime
from reml.training.regimes.selection import Selection, agreement
from reml.training.settings import Training
from tests.small_cross_encoder import write_cross_encoder

WORDS = ("chad", "france", "river", "city")
FILLING = ("the capital of", "what is the", "country is of", "of the question")


def item(right: str, place: int) -> str:
    """Eight windows of three words, in one of which, at a place, is a word that may be asked for."""
    parts = [FILLING[(place + number) % len(FILLING)] for number in range(8)]
    parts[place % 8] = f"is {right} of"
    return " ".join(parts)


TEXTS = [item(word, 3 * number + turn) for number, word in enumerate(WORDS) for turn in range(4)]
COLLECTION = MemoryCollection(TEXTS, [""] * len(TEXTS))
EXAMPLES = [Example(word, word) for word in WORDS]
FORM = Form(window=3, overlap=0, top=1)
SETTINGS = Training(steps=150, batch_size=4, rate=3e-3, weight_decay=0.0, precision="32-true", save_every=1000)


def examples_of(collection: MemoryCollection, each: int) -> RankedExamples:
    """So many items of each word are right, one word's after the other's, and all others wrong."""
    right = [np.arange(each * number, each * number + each) for number in range(len(WORDS))]
    sampler = FromLabels(right, [np.empty(0, dtype=np.int64)] * len(WORDS), collection.rows())
    return RankedExamples.of(collection, EXAMPLES, sampler, 4)


def part() -> RankedExamples:
    return examples_of(COLLECTION, 4)


def first_right(scorer: IDCM) -> float:
    everything = np.tile(COLLECTION.rows(), (len(WORDS), 1))
    with torch.no_grad():
        best = scorer.score(Queries.of(WORDS), COLLECTION.get(COLLECTION.rows()), everything).argmax(dim=1)
    return float((best // 4 == torch.arange(len(WORDS))).float().mean())


def agreements(scorer: IDCM) -> float:
    """Give how often the student's best window is the one with the word that is asked for."""
    everything = np.tile(COLLECTION.rows(), (len(WORDS), 1))
    with torch.no_grad():
        student, _ = scorer.window_scores(Queries.of(WORDS), COLLECTION.get(COLLECTION.rows()), everything)
    own = [student[number, 4 * number + turn].argmax().item() for number in range(4) for turn in range(4)]
    return float(
        np.mean([place == (3 * number + turn) % 8 for place, (number, turn) in zip(own, np.ndindex(4, 4), strict=True)])
    )


def learn(regime: Regime, taught: RankedExamples, folder: Path) -> None:
    fit(regime, TrainSet.of(taught), dev=[], settings=SETTINGS, folder=folder)
    regime.eval()


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Stage 1: a cross-encoder learns on passages. Stage 2: it learns on all windows of items, and their weights do."""
    folder = tmp_path_factory.mktemp("teacher")
    torch.manual_seed(0)
    passages = MemoryCollection([*(f"is {word} of" for word in WORDS), *FILLING], [""] * 8)
    reader = CrossEncoder(write_cross_encoder(folder / "model"), precision="float32")
    learn(Ranking(reader, RankingObjective(Contrastive(in_batch=False)), 8), examples_of(passages, 1), folder / "1")
    reader.save(folder / "reader")
    scorer = IDCM(str(folder / "reader"), form=FORM, precision="float32")
    objective = RankingObjective(Contrastive(in_batch=False))
    learn(Ranking(scorer, objective, len(COLLECTION)), part(), folder / "2")
    assert first_right(scorer) == 1.0
    assert scorer.module.get_submodule("cascade").weights.item() != 1.0  # type: ignore[operator]
    assert not scorer.selector.taught
    scorer.save(folder / "taught")
    return str(folder / "taught")


@pytest.mark.parametrize("objective", [LambdaLoss(top=1), KlDistillation(), ScoreMse()], ids=repr)
def test_the_student_learns_to_choose_and_the_teacher_stays(teacher: str, tmp_path: Path, objective: Feedback) -> None:
    scorer = IDCM(teacher, select=1, precision="float32")
    reader = {name: value.clone() for name, value in scorer.module.get_submodule("reader").state_dict().items()}
    assert first_right(scorer) == 1.0, "all is read as long as nothing chooses"
    scorer.selector.taught.fill_(1)
    before = agreements(scorer), first_right(scorer)
    scorer.selector.taught.fill_(0)
    regime = Selection(scorer, RankingObjective(objective), best=1)
    fit(regime, TrainSet.of(part()), dev=[part().dev_set("dev", 4)], settings=SETTINGS, folder=tmp_path / "fit")
    assert before[0] < 0.5
    assert agreements(scorer) > 0.9
    assert first_right(scorer) == 1.0 > before[1]
    for name, value in scorer.module.get_submodule("reader").state_dict().items():
        assert torch.equal(value, reader[name])
    logged = [value for _, name, value in read_metrics(tmp_path / "fit" / "metrics.csv") if name == "train/agreement"]
    assert np.mean(logged[-20:]) > 0.2 + np.mean(logged[:5])
    assert scorer.selector.taught
    scorer.save(tmp_path / "saved")
    assert IDCM(str(tmp_path / "saved")).selector.taught


def test_the_loss_is_the_mean_over_the_items_of_an_example(teacher: str) -> None:
    """An example without items has none, and padding does not count."""
    scorer = IDCM(teacher, precision="float32")
    regime = Selection(scorer, RankingObjective(LambdaLoss(top=1)))

    def loss(rows: list[list[int]]) -> list[float]:
        hits = Hits(np.array(rows), np.where(np.array(rows) >= 0, 1.0, -np.inf).astype(np.float32))
        found = regime(Batch.of(tuple(EXAMPLES[: len(rows)]), gather(COLLECTION, hits)))["selection"]
        return [float(one) for one in found.detach()]

    together = loss([[3, 9], [7, -1], [-1, -1]])
    alone = [loss([[3]])[0], loss([[9]])[0], loss([[-1], [7]])[1]]
    assert together == pytest.approx([(alone[0] + alone[1]) / 2, alone[2], 0.0], abs=1e-5)
    assert min(alone) > 0


def test_the_reader_never_drops_out(teacher: str) -> None:
    scorer = IDCM(teacher)
    regime = Selection(scorer, RankingObjective(LambdaLoss(top=1))).train()
    assert scorer.selector.training
    assert not any(one.training for one in scorer.module.get_submodule("reader").modules())
    learnt = [name for name, one in regime.named_parameters() if one.requires_grad]
    assert learnt
    assert all("selector" in name for name in learnt)


def test_agreement_by_hand() -> None:
    """Of two rows with more than two windows: both of the best, and one of them."""
    nothing = -torch.inf
    teacher = torch.tensor([[3.0, 2.0, 1.0, nothing], [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, nothing, nothing]])
    student = torch.tensor([[8.0, 9.0, 1.0, nothing], [9.0, 1.0, 2.0, 8.0], [2.0, 1.0, nothing, nothing]])
    assert agreement(student, teacher, 2).item() == pytest.approx(0.75)
    assert agreement(student[2:], teacher[2:], 2).item() == 1.0


def test_what_has_no_meaning_for_windows_is_refused(teacher: str) -> None:
    with pytest.raises(ValueError, match="windows of an item have no vectors to keep sparse and no other items'"):
        Selection(IDCM(teacher), RankingObjective(Contrastive()))
    with pytest.raises(ValueError, match="best is a number of windows, 1 or more, not 0"):
        Selection(IDCM(teacher), RankingObjective(LambdaLoss(top=1)), best=0)

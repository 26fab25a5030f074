"""IDCM on small random cross-encoders: which windows are read, what they make, and the way through a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reml.contract.examples import Item
from reml.contract.retrieved import Queries
from reml.contract.retrievers import Scorer
from reml.files.atomic import CorruptError
from reml.retrievers.rankers.cross_encoder import CrossEncoder
from reml.retrievers.rankers.idcm import IDCM, Form
from reml.testing import MemoryCollection, ScorerContract
from reml.training.regimes.selection import Cascading, WindowScorer
from tests.small_cross_encoder import write_cross_encoder

FORM = Form(window=4, overlap=1, top=2)
LONG = "the river of france is chad the city of chad is what the capital of the country is a question"
TEXTS = ["a river", LONG, "", "what is the capital of the city of france is of the river chad of the country"]
ITEMS = MemoryCollection(TEXTS, ["", "chad", "", ""])
QUERIES = Queries.of(["what is the capital", "river"])
POSITIONS = np.array([[1, 0, -1, 2], [3, -1, 2, 1]])


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_cross_encoder(tmp_path_factory.mktemp("idcm") / "model", seed=4)


def scorer(folder: str, **changes: Any) -> IDCM:
    return IDCM(folder, **{"form": FORM, "precision": "float32", **changes})


def items() -> list[Item]:
    return ITEMS.get(np.arange(len(TEXTS)))


def taught(model: IDCM) -> IDCM:
    """Let a student with weights of some size stand for one that was trained."""
    torch.manual_seed(0)
    with torch.no_grad():
        model.selector.combine.weight.normal_()
        model.selector.taught.fill_(1)
    return model


def windows(item: Item) -> list[str]:
    """Cut the words, each one token."""
    words = item.full_text().split()
    starts = range(0, max(1, len(words)), FORM.window)
    return [" ".join(words[max(0, start - 1) : start + FORM.window + 1]) for start in starts]


def alone(folder: str, query: str, texts: list[str]) -> list[float]:
    made = [Item(row, text) for row, text in enumerate(texts)]
    model = CrossEncoder(folder, precision="float32")
    found = model.score(Queries.of([query]), made, np.arange(len(made))[None])[0].tolist()
    return [float(one) for one in found]


def by_hand(folder: str, query: str, texts: list[str]) -> float:
    best = [*sorted(alone(folder, query, texts), reverse=True)[:2], 0.0][:2]
    return 1.5 * best[0] + 0.25 * best[1]


def weighted(model: IDCM) -> IDCM:
    with torch.no_grad():
        model.module.get_submodule("cascade").weights.copy_(torch.tensor([1.5, 0.25]))  # type: ignore[operator]
    return model


def test_of_all_windows_the_best_count_by_rank(folder: str) -> None:
    found = weighted(scorer(folder)).score(QUERIES, items(), POSITIONS)
    for row, places in enumerate(POSITIONS):
        for column, place in enumerate(places):
            expected = by_hand(folder, QUERIES.texts[row], windows(items()[place])) if place >= 0 else -torch.inf
            assert found[row, column].item() == pytest.approx(expected, abs=1e-5)
    assert len(windows(items()[1])) == 6


@pytest.mark.parametrize("select", [1, 3])
def test_only_what_the_student_scores_best_is_read(folder: str, select: int) -> None:
    model = weighted(taught(scorer(folder, select=select)))
    found = model.score(QUERIES, items(), POSITIONS)
    student, _ = model.window_scores(QUERIES, items(), POSITIONS)
    for row, places in enumerate(POSITIONS):
        for column, place in enumerate(places):
            if place >= 0:
                texts = windows(items()[place])
                chosen = student[row, column, : len(texts)].argsort(descending=True, stable=True)[:select].tolist()
                expected = by_hand(folder, QUERIES.texts[row], [texts[one] for one in chosen])
                assert found[row, column].item() == pytest.approx(expected, abs=1e-5)
    first = student[0, 0].argsort(descending=True)[:select].tolist()
    assert sorted(first) != list(range(select)), "it chooses what stands first"


def test_it_reads_no_more_windows_than_it_selects(folder: str) -> None:
    read: list[int] = []
    for select in (None, 2, 9):
        model = taught(scorer(folder, select=select))
        counted = model.module.get_submodule("reader").register_forward_hook(
            lambda _, __, outputs: read.append(len(outputs.logits))
        )
        model.score(QUERIES, items(), np.array([[1]] * 2))
        counted.remove()
    assert read == [12, 4, 12]


def test_window_scores_are_those_of_student_and_teacher(folder: str) -> None:
    model = taught(scorer(folder, batch_size=2))
    student, teacher = model.window_scores(QUERIES, items(), POSITIONS)
    assert student.shape == teacher.shape == (2, 4, 6)
    assert student.requires_grad
    assert not teacher.requires_grad
    for row, places in enumerate(POSITIONS):
        for column, place in enumerate(places):
            texts = windows(items()[place]) if place >= 0 else []
            expected = [*(alone(folder, QUERIES.texts[row], texts) if texts else []), *[-torch.inf] * (6 - len(texts))]
            assert teacher[row, column].tolist() == pytest.approx(expected, abs=1e-5)
            assert student[row, column].isfinite().tolist() == [*[True] * len(texts), *[False] * (6 - len(texts))]
    alone_scores, _ = model.window_scores(QUERIES.take(np.array([1])), items(), np.array([[3]]))
    torch.testing.assert_close(student[1, 0, :5], alone_scores[0, 0])


def test_a_training_in_bfloat16_has_scores_in_float32(folder: str) -> None:
    """The loop's own precision is around all that a regime computes."""
    model = taught(scorer(folder, select=2))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = model.score(QUERIES, items(), POSITIONS)
        student, teacher = model.window_scores(QUERIES, items(), POSITIONS)
    assert found.dtype == student.dtype == teacher.dtype == torch.float32
    torch.testing.assert_close(student, model.window_scores(QUERIES, items(), POSITIONS)[0])


def test_first_windows_alone_are_a_form(folder: str) -> None:
    form = Form(window=4, overlap=0, tokens=8, top=2)
    found = scorer(folder, form=form).score(QUERIES, items(), np.array([[1], [1]]))
    words = items()[1].full_text().split()[:8]
    for row, query in enumerate(QUERIES.texts):
        expected = sum(alone(folder, query, [" ".join(words[:4]), " ".join(words[4:])]))
        assert found[row, 0].item() == pytest.approx(expected, abs=1e-5)


def test_what_is_not_read_and_that_nothing_chooses_is_said_once(folder: str, caplog: pytest.LogCaptureFixture) -> None:
    form = Form(window=4, tokens=12)
    model, every = scorer(folder, select=1, form=form), scorer(folder, form=form)
    for _ in range(2):
        found = model.score(QUERIES, items(), POSITIONS)
    torch.testing.assert_close(found, every.score(QUERIES, items(), POSITIONS))
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 3, "by each that some is not read, and by the one"
    assert "reads 12 tokens of an item, and some have more: their ends are not read" in said[0]
    assert "is not trained to choose 1 windows of an item: all are read" in said[1]
    caplog.clear()
    scorer(folder).score(QUERIES, items(), POSITIONS)
    learning = scorer(folder, select=1)
    learning.module.train()
    learning.score(QUERIES, items(), POSITIONS)
    taught(scorer(folder, select=1)).score(QUERIES, items(), POSITIONS)
    assert not caplog.records


def test_it_comes_back_with_its_form_and_a_cross_encoder_reads_its_reader(folder: str, tmp_path: Path) -> None:
    model = weighted(taught(scorer(folder, select=2)))
    model.save(tmp_path / "saved")
    model.save(tmp_path / "saved")
    again = IDCM(str(tmp_path / "saved"), select=2, precision="float32")
    torch.testing.assert_close(again.score(QUERIES, items(), POSITIONS), model.score(QUERIES, items(), POSITIONS))
    assert again.fingerprint() == model.fingerprint()
    assert IDCM(str(tmp_path / "saved")).fingerprint() != model.fingerprint()
    read = CrossEncoder(str(tmp_path / "saved" / "reader"), precision="float32")
    assert read.fingerprint() == CrossEncoder(folder, precision="float32").fingerprint()
    with pytest.raises(ValueError, match=r"form is Form\(window=50.*was trained with Form\(window=4.*leave it out"):
        _ = IDCM(str(tmp_path / "saved"), form=Form()).module
    assert scorer(folder).fingerprint() == scorer(folder).fingerprint(), "a new student is another each time"


def test_a_damaged_folder_is_refused(folder: str, tmp_path: Path) -> None:
    scorer(folder).save(tmp_path / "saved")
    weights = tmp_path / "saved" / "idcm.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-8])
    with pytest.raises(CorruptError, match=r"idcm\.safetensors"):
        _ = IDCM(str(tmp_path / "saved")).module
    weights.write_bytes(whole)
    manifest = json.loads((tmp_path / "saved" / "manifest.json").read_text())
    (tmp_path / "saved" / "manifest.json").write_text(json.dumps({**manifest, "kind": "another"}))
    with pytest.raises(CorruptError, match="does not describe a idcm"):
        _ = IDCM(str(tmp_path / "saved")).module


def test_it_is_what_selection_trains(folder: str) -> None:
    model: Cascading = scorer(folder)
    assert isinstance(model, WindowScorer)


class TestAllWindows(ScorerContract):
    @pytest.fixture(autouse=True)
    def _written(self, folder: str) -> None:
        self.folder = folder

    def make(self) -> Scorer:
        return scorer(self.folder)


class TestSelecting(TestAllWindows):
    def make(self) -> Scorer:
        return taught(scorer(self.folder, select=1, form=Form(window=3, overlap=1, top=3)))

"""An encoder that finds too little before its training is refused before hours of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reml.experiment.settings.retriever_training import RetrieverTraining
from tests.experiment.trained.test_encoders import BM25, TAUGHT, index
from tests.small_experiment import write_experiment


@pytest.mark.parametrize(("start", "refused"), [("codes", False), ("random", True)])
def test_a_start_that_finds_too_little_is_refused_before_it_is_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], start: str, refused: bool
) -> None:
    """Of 20 items a random start finds one among so few first ones by chance; codes find what BM25 finds."""
    layers = {"width": 200, **({"hidden": [2]} if refused else {})}
    settings = {"embeddings": None, "min_count": 1, "start": start, "layers": layers}
    retriever = {"class_path": "reml.retrievers.snrm.SNRM", "init_args": settings}
    train = {**TAUGHT, "regularisers": [], "pseudo_queries": {"count": 20}, "least_start": 0.95}
    access = {"bm25": BM25, "snrm": {"retriever": retriever, "train": train}}
    config, home = write_experiment(tmp_path, access=access, train_on=None, predictor=None), tmp_path / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reml.experiment.trained.mined_lists.DEPTH", 1)
        assert index(config, home) == (2 if refused else 0)
    said = capsys.readouterr()
    assert ("less than train.least_start, 0.95, of it" in said.err + said.out) == refused


def test_a_start_is_measured_on_pseudo_queries_alone() -> None:
    with pytest.raises(ValueError, match="least_start is measured on pseudo-queries: give `pseudo_queries`"):
        RetrieverTraining(teacher="bm25", least_start=0.9)

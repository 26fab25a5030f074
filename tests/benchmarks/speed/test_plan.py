from __future__ import annotations

from pathlib import Path

import pytest

from reml.benchmarks.speed.plan import Wanted, absent_corpora, plans, rehearsals
from reml.benchmarks.speed.workloads.real_texts import RealTexts
from tests.benchmarks.speed.workloads.real_folders import foxes, pages


def test_every_size_of_every_model_then_the_real_texts(tmp_path: Path) -> None:
    corpora = [RealTexts([foxes(tmp_path / "foxes"), pages(tmp_path / "kilt")]), RealTexts([tmp_path / "nowhere"])]
    wanted = Wanted(("bm25", "snrm"), (30, 20), corpora, queries=4, kept=tmp_path / "kept")
    made = [plan(tmp_path / f"workload-{number}") for number, plan in enumerate(plans(wanted))]
    assert [(one.corpus, one.model, one.rows) for one in made] == [
        ("synthetic", "bm25", 20),
        ("synthetic", "snrm", 20),
        ("synthetic", "bm25", 30),
        ("synthetic", "snrm", 30),
        ("foxes+kilt", "bm25", 5),
        ("foxes+kilt", "snrm", 5),
    ]
    assert made[4].query_sets == made[5].query_sets == ("foxes", "nq", "trex")
    assert made[5].nonzeros > 0
    assert made[5].queries("nq").dimensions.tolist()
    assert [one.query_sets for one in made[:2]] == [("short", "natural"), ("encoded",)]
    assert [len(made[0].queries(name)) for name in made[0].query_sets] == [4, 4]
    (absent,) = absent_corpora(wanted)
    assert absent.engine == "corpus nowhere"
    assert "has no corpus.jsonl.gz" in absent.reason


def test_each_model_is_rehearsed(tmp_path: Path) -> None:
    wanted = Wanted(("splade", "bm25"), (10**9,), (), queries=4, kept=tmp_path)
    made = [plan(tmp_path / f"workload-{number}") for number, plan in enumerate(rehearsals(wanted))]
    assert [(one.model, one.rows) for one in made] == [("splade", 200), ("bm25", 200)]


@pytest.mark.parametrize("models", [("bm52",), ("bm25", "colbert"), ()])
def test_an_unknown_model_is_answered_with_those_there_are(models: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="bm25, splade, snrm"):
        Wanted(models, (10,), (), queries=4, kept=Path())

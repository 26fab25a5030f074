"""A small result folder, as an experiment leaves it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from reml.contract.examples import Answer, Example, Json, Provenance
from reml.evaluation.kilt import evaluate
from reml.evaluation.passages import evaluate_passages
from reml.evaluation.trec.page_measures import PageScorer
from reml.experiment.figures import Found, Measured, difference_rows, retrieval_of
from reml.files.atomic import write_json, write_manifest, write_text
from reml.files.records import write_examples

HOSTILE = "<script>alert('x')</script> & <img src=https://example.org/x.png> ]]> \x00"


def gold(name: str, answer: str, page: str) -> Example:
    provenance = Provenance(page, f"Page {page}", text=None)
    return Example(name, f"Question {name} {HOSTILE}", (Answer(answer, (provenance,)), Answer(f"{answer} again")))


def predicted(text: str, *pages: str) -> Answer:
    places = tuple(
        Provenance(page, f"Page {page} {HOSTILE}", text=f"{HOSTILE} It is OSLO, they say.") for page in pages
    )
    return Answer(text, places)


EXAMPLES = (gold("a", "Oslo", "1"), gold("b", "Oslo", "2"), gold("c", "Oslo", "3"), gold("d", "Oslo", "4"))
ANSWERS = {
    # Right; right answer with wrong provenance; retrieved but not used; retrieval missed.
    "bm25": (
        predicted("Oslo", "1", "9"),
        predicted("Oslo", "9", "2"),
        predicted("Rome", "9", "3"),
        predicted(HOSTILE, "9"),
    ),
    "dense": tuple(predicted("Oslo", example.output[0].provenance[0].wikipedia_id) for example in EXAMPLES),
}


# Pages as access models ranked them; bm25's reader reorders those of the second example.
RANKED = {"bm25": (["1", "9"], ["2", "9"], ["9", "3"], ["9"]), "dense": (["1"], ["2"], ["3"], ["4"])}


def measured_of(access: str, answers: Sequence[Answer]) -> Measured:
    """Measure as an experiment does, but for passages."""
    scorer = PageScorer()
    for example, pages in zip(EXAMPLES, RANKED[access], strict=True):
        scorer.add(example, pages)
    passages = evaluate_passages(EXAMPLES, [answer.provenance for answer in answers])
    return Measured("em", passages, {access: Found(scorer.result(), passages)}, evaluate(EXAMPLES, answers))


def make_former(run: Path) -> None:
    """Leave what a former version wrote."""
    scores = {access: {"qa": evaluate(EXAMPLES, answers).to_json()} for access, answers in ANSWERS.items()}
    write_json(run / "metrics.json", scores)
    (run / "retrieval.json").unlink()
    (run / "differences.json").unlink()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of two access models on one task, with training and a manifest."""
    folder = tmp_path / "a run"
    write_examples(EXAMPLES, folder / "gold" / "qa.jsonl")
    for access, answers in ANSWERS.items():
        guesses = [
            Example(example.id, example.input, (answer,)) for example, answer in zip(EXAMPLES, answers, strict=True)
        ]
        write_examples(guesses, folder / access / "qa" / "predictions.jsonl")
    measured = {access: {"qa": measured_of(access, answers)} for access, answers in ANSWERS.items()}
    write_json(folder / "metrics.json", {access: {"qa": one["qa"].to_json()} for access, one in measured.items()})
    found = retrieval_of(measured)["qa"]
    write_json(folder / "retrieval.json", {"qa": {access: one.to_json() for access, one in found.items()}})
    write_json(folder / "differences.json", difference_rows(measured))
    write_text(
        folder / "training" / "metrics.csv",
        "step,name,value\n0,train/loss,3.5\n0,train/rate,0.1\n10,dev/score,0.25\n10,train/loss,nan\n20,train/loss,1.5\n",
    )
    stage: Json = {"name": f"index {HOSTILE}", "seconds": 61.2, "peak_memory_bytes": 3 << 30, "cached": True}
    spent: Json = {"stages": 1, "made": 0, "seconds": 61.2, "cpu_seconds": 60.1, "bytes": 7 << 20}
    content: dict[str, Json] = {
        "costs": {"index": spent},
        "versions": {"torch": "2.13"},
        "seed": 3,
        "name": f"capitals {HOSTILE}",
        "config": {"name": HOSTILE},
        "checksums": {"qa dev": "beef"},
    }
    write_manifest(folder, "run", {**content, "stages": [stage], "measures": {"qa": "em"}})
    return folder

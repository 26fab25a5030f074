"""Runs compared on the questions that they have in common, by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reml
from reml.contract.examples import Answer, Example, Provenance
from reml.evaluation.judgements import question_digest
from reml.evaluation.significance import holm
from tests.comparison.runs.small_runs import (
    QUIET,
    TWO_WORDS,
    asking,
    change_manifest,
    experiment,
    made,
    places,
    reading,
    rewrite,
)

Kept = tuple[reml.Results, reml.Results]


def test_two_runs_by_hand(kept: Kept, home: Path) -> None:
    """Titles are no right answers, the first two words are; retrieval is the same."""
    found = reml.compare("titles", "words", home=home)
    (pair,) = found.pairs
    rows = {(one.first, one.measure): one for one in pair.differences}
    assert set(rows) == {(s, m) for s in ("bm25", "closed_book") for m in ("Rprec", "em", "KILT-em")}
    em = rows["bm25", "em"]
    assert (em.first_mean, em.second_mean, em.difference, em.n) == (0.0, 1.0, -1.0, 3)
    wilson = 1 - 3 / (3 + 1.959964**2)  # the upper end for 0 of 3
    assert (em.first_low, em.first_high, em.second_low, em.second_high) == pytest.approx((0, wilson, 1 - wilson, 1))
    assert (em.low, em.high) == (-1.0, -1.0)
    assert em.p == pytest.approx(2 / 2**3)
    assert (rows["bm25", "Rprec"].difference, rows["bm25", "Rprec"].p) == (0.0, 1.0)
    assert [one.corrected for one in pair.differences] == holm([one.p for one in pair.differences])
    assert (len(pair.shared["places"]), pair.shared["places"].altered) == (3, 0)
    assert [(one.id, one.first_answer, one.second_answer, one.gained) for one in found.changed] == [
        ("q-oman", "Oman", "Frankincense trees", True),
        ("q-cuba", "Cuba", "Tobacco barns", True),
        ("q-laos", "Laos", "Wooden boats", True),
    ]
    assert (found.changed[0].question, found.changed[0].right) == ("What is seen in Oman?", ("Frankincense trees",))
    assert {one.setting for one in found.settings} == {"name", "predictor.class_path", "predictor.init_args"}
    assert pair.remarks == ()


def test_results_at_hand_and_kept_runs_are_compared_alike(kept: Kept, home: Path) -> None:
    by_name = reml.compare("titles", "words", home=home)
    first, second = sorted(reml.runs(home), key=lambda run: run.name)
    for others in (reml.compare(*kept), reml.compare(kept[0], "words", home=home), reml.compare(first, second)):
        assert others.table.equals(by_name.table)
        assert others.changed == by_name.changed
        assert others.settings == by_name.settings
    assert by_name.table.schema.names[:6] == ["first_run", "second_run", "task", "measure", "first", "second"]
    assert set(by_name.table.column("second_run").to_pylist()) == {"B"}


def test_three_runs_are_three_pairs_of_one_family(kept: Kept, data: Path, home: Path) -> None:
    fewer = made(data, home, name="fewer", reading=reading(limit=2))
    found = reml.compare("titles", "words", "fewer", home=home)
    assert [(pair.first, pair.second) for pair in found.pairs] == [("A", "B"), ("A", "C"), ("B", "C")]
    every = [one for pair in found.pairs for one in pair.differences]
    assert [one.corrected for one in every] == holm([one.p for one in every])
    assert [pair.differences[0].n for pair in found.pairs] == [3, 2, 2]
    assert found.pairs[2].shared["places"].first_only == 1
    assert set(found.runs) == {"A", "B", "C"}
    assert found.runs["C"].folder.name == fewer.folder.name


def test_systems_of_other_names_and_measures_are_chosen(kept: Kept, home: Path) -> None:
    found = reml.compare("titles", "words", systems=[("bm25", "closed_book")], measures=["recall@5", "f1"], home=home)
    (recall, f1) = found.pairs[0].differences
    assert (recall.first, recall.second, recall.measure, recall.difference) == ("bm25", "closed_book", "recall@5", 1.0)
    assert (f1.measure, f1.difference) == ("f1", 0.0)
    assert found.changed == (), "by what the task is ranked by, which is not among the measures"
    again = reml.compare("titles", "titles", systems=[("bm25", "closed_book")], measures=["Rprec"], home=home)
    assert again.pairs[0].differences[0].difference == 1.0, "two access models of one run"


def right(change: Callable[[Answer], Answer]) -> Callable[[Example], Example]:
    """Change the right answers of one question."""
    return lambda one: one if one.id != "q-laos" else replace(one, output=tuple(map(change, one.output)))


def of_page(**changes: Any) -> Callable[[Answer], Answer]:
    return lambda one: replace(one, provenance=tuple(replace(place, **changes) for place in one.provenance))


@pytest.mark.parametrize(
    ("change", "altered"),
    [
        (lambda one: one, 0),
        (lambda one: replace(one, meta={"source": "elsewhere"}), 0),
        (right(of_page(text="quoted", section="Lead", bleu_score=0.5)), 0),
        (lambda one: one if one.id != "q-laos" else asking("Say:")(one), 1),
        (lambda one: one if one.id != "q-laos" else replace(one, input=one.input.lower()), 1),
        (right(lambda one: replace(one, text="other words")), 1),
        (right(lambda one: replace(one, text=f"{one.text}.")), 1),
        (right(of_page(wikipedia_id="chad")), 1),
        (right(of_page(title="Chad")), 1),
        (right(of_page(start_paragraph_id=1, end_paragraph_id=1)), 1),
        (right(of_page(meta={"relevance": 2})), 1),
        (right(lambda one: replace(one, meta={"score": 2})), 1),
        (right(lambda one: replace(one, provenance=(*one.provenance, Provenance("chad", "Chad")))), 1),
        (right(lambda one: replace(one, provenance=())), 1),
        (lambda one: one if one.id != "q-laos" else replace(one, output=(*one.output, Answer("more"))), 1),
    ],
)
def test_a_question_of_the_same_id_that_is_another_one_is_not_compared(
    change: Callable[[Example], Example], altered: int, kept: Kept, data: Path, tmp_path: Path
) -> None:
    rewrite(data, "changed.jsonl", change)
    other = made(data, tmp_path, tasks=[places(data, dev="changed.jsonl")])
    for found in (reml.compare(kept[0], other), reml.compare(kept[0].folder, other.folder)):
        counts = found.pairs[0].shared["places"]
        assert (counts.altered, counts.first_only, counts.second_only) == (altered, 0, 0)
        assert len(counts) == found.pairs[0].differences[0].n == 3 - altered
        assert ("q-laos" in counts.ids) == (altered == 0)


def test_where_no_question_is_the_same_nothing_is_compared(kept: Kept, data: Path, tmp_path: Path) -> None:
    rewrite(data, "asked.jsonl", asking("Say:"))
    other = made(data, tmp_path, tasks=[places(data, dev="asked.jsonl")])
    with pytest.raises(
        ValueError, match=r"places: 0 in common, 3 of one id with another input or other right answers\."
    ):
        reml.compare(kept[0], other)


def test_questions_are_other_ones_where_a_file_was_changed_in_its_place(tmp_path: Path) -> None:
    """Both results are of one configuration and so of one folder, which has the later one's questions."""
    data, home = tmp_path / "data", tmp_path / "home"
    first = made(data, home)
    rewrite(data, "dev.jsonl", lambda one: one if one.id != "q-laos" else asking("Say:")(one))
    second = made(data, home)
    assert first.folder == second.folder
    counts = reml.compare(first, second).pairs[0].shared["places"]
    assert (counts.ids, counts.altered) == (("q-oman", "q-cuba"), 1)


def test_what_only_one_has_is_said(kept: Kept, data: Path, tmp_path: Path) -> None:
    tasks = [places(data), places(data, "elsewhere")]
    one = made(data, tmp_path, tasks=tasks, access={"bm25": reml.Access()})
    other = made(data, tmp_path, tasks=tasks[:1], access={"bm25": reml.Access(), "closed": reml.Access()})
    assert reml.compare(one, other).pairs[0].remarks == (
        "not compared are tasks that only A has: elsewhere.",
        "not compared are access models that only B has: closed.",
    )


def test_tasks_of_other_measures_are_compared_by_all(kept: Kept, data: Path, tmp_path: Path) -> None:
    other = made(data, tmp_path, tasks=[places(data, measure="f1")], predictor=TWO_WORDS)
    found = reml.compare(kept[0], other)
    assert [one.measure for one in found.pairs[0].differences[:5]] == ["Rprec", "em", "f1", "KILT-em", "KILT-f1"]
    assert found.pairs[0].remarks == ("places is ranked by em in A, by f1 in B: no answers are listed.",)
    assert found.changed == ()


def test_an_older_run_is_compared(kept: Kept, home: Path) -> None:
    (folder,) = (home / "runs").glob("words-*")
    before = reml.compare("titles", "words", home=home)
    change_manifest(
        folder, lambda one: [one.pop(part) for part in ("measures", "seed", "checksums", "versions", "files")]
    )
    for scores in folder.glob("*/*/scores.json"):
        scores.unlink()
    found = reml.compare("titles", "words", home=home)
    assert found.table.equals(before.table)
    assert "An older version of reml made it" in found.runs["B"].note


@pytest.mark.parametrize(
    ("given", "options", "sentence"),
    [
        ((), {}, "0 runs cannot be compared: name two or more"),
        (("titles",), {}, r"1 run cannot be compared: name two or more. To compare access models of one run name it"),
        (("titles", "titles"), {}, "titles is the run that titles is: name another one"),
        (("titles",) * 27, {}, "27 runs are too many"),
        (("titles", "wrods"), {}, "there is no run 'wrods'; the nearest: words-"),
        (
            ("titles", "words"),
            {"systems": [("bm25", "dense")]},
            "no system 'dense'; there are bm25, closed_book in words-",
        ),
        (("titles", "words"), {"measures": ["mrr"]}, "no measure 'mrr'; there are accuracy, em"),
        (("titles", "other"), {}, "no task in common: places; elsewhere"),
        (("titles", "one"), {}, r"no task with 2 questions in common, .* places: 1 in common, 2 only in the first"),
        (("titles", "one"), {}, r"What they read differs: reading.limit is – and 1\."),
        (
            ("titles", "train"),
            {},
            r"1 in common, 2 only in the first, 3 only in the second.* reading.split is – and train",
        ),
        (("titles", "flat"), {}, r"no system of one name \(bm25, closed_book; flat\): .* --access FIRST/SECOND"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_a_sentence(
    given: tuple[str, ...], options: dict[str, Any], sentence: str, others: Path
) -> None:
    with pytest.raises(ValueError, match=sentence):
        reml.compare(*given, home=others, **options)


@pytest.fixture(scope="module")
def others(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with runs that have little in common with one another."""
    home = tmp_path_factory.mktemp("others")
    made(data, home, name="titles")
    made(data, home, name="words", predictor=TWO_WORDS)
    made(data, home, name="other", tasks=[places(data, "elsewhere")])
    made(data, home, name="one", reading=reading(limit=1))
    made(data, home, name="train", reading=reading(split="train"))
    made(data, home, name="flat", access={"flat": reml.Access()})
    return home


def test_what_is_no_run_in_python_is_refused(kept: Kept) -> None:
    with pytest.raises(TypeError, match=r"a run is 7: give results, or the folder, name or key of a run"):
        reml.compare(kept[0], 7)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="systems is 'bm25', one str, where several are wanted"):
        reml.compare(*kept, systems="bm25")  # type: ignore[arg-type]


def test_seeds_are_averaged(kept: Kept, data: Path, tmp_path: Path) -> None:
    both = reml.run(experiment(data), tmp_path, QUIET, seeds=[1, 2])
    found = reml.compare(kept[1], both)
    assert {one.difference for one in found.pairs[0].differences if one.first == "bm25"} == {0.0, 1.0}
    assert found.pairs[0].remarks == ("B is the mean over the seeds 1, 2; its answers are those of seed 1.",)


def test_all_of_it_is_json_and_one_page(kept: Kept, tmp_path: Path) -> None:
    found = reml.compare(*kept)
    told = json.loads(json.dumps(found.to_json()))
    assert list(told) == ["runs", "settings", "pairs"]
    (pair,) = told["pairs"]
    assert pair["questions"] == {"places": {"in_common": 3, "first_only": 0, "second_only": 0, "altered": 0}}
    assert (pair["differences"][1]["measure"], pair["differences"][1]["difference"]) == ("em", -1.0)
    assert pair["changed"][0]["right"] == ["Frankincense trees"]
    assert told["settings"]["name"] == {"A": "titles", "B": "words"}
    found.write_html(str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "titles and words: 2 runs compared" in page
    assert page.count('<article class="case">') == 3
    assert page.count("<summary>places</summary>") == 1, "the figures of a task fold"
    assert "<summary>places: 3</summary>" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", ""), "nothing outside is asked"


def test_the_digest_of_a_question_is_the_same_in_every_process() -> None:
    """Frozen: runs of one version are compared with those of another."""
    asked = Example("1", "Where?", (Answer("Oslo", (Provenance("7", "Norway"),)), Answer("Oslo city")))
    assert question_digest(asked) == question_digest(replace(asked, id="2", output=asked.output[::-1]))
    assert question_digest(asked) == "1a4dbc37d96b241f"
    assert (
        np.unique([question_digest(replace(asked, input=text)) for text in ("Where?", "where?", " Where?")]).size == 3
    )

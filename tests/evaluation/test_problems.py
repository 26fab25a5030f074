"""Files of another kind than the one that is wanted are known by their first lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reml.__main__ import main
from reml.evaluation.kilt_files import evaluate_files
from reml.evaluation.problems import other_kind

GOLD = (
    '{"id": "1", "input": "?", "output": [{"answer": "ice", "provenance": [{"wikipedia_id": "1"}]}, {"answer": "x"}]}\n'
)
GUESS = '{"id": "1", "output": [{"answer": "ice", "provenance": [{"wikipedia_id": "1"}]}]}\n'
KINDS = {
    "q Q0 p 1 2.5 tag\n": "a run in TREC's format: score it by `reml measure --run`",
    "q\tQ0\tp\t1\t-2e-3\ttag\n": "a run in TREC's format",
    "q 0 p 1\n": "judgements in TREC's format",
    "query-id\tcorpus-id\tscore\nq1\td\t1\n": "judgements in BEIR's format",
    "access: {a: {}}\ntasks:\n  - class_path: a\n    init_args:\n      - 3\n": "YAML, such as settings",
    "<!doctype html>\n<html></html>\n": "HTML or XML",
    '<?xml version="1.0"?>\n': "HTML or XML",
    "name: x\ntasks:\n": "YAML, such as settings",
    "# an experiment\nname: x\n": "YAML, such as settings",
    '{"_id": "1", "wikipedia_title": "Peru", "text": ["Peru", "Lima"]}\n': "pages: they are a knowledge source",
    '{"_id": "1", "title": "Peru", "text": "Lima"}\n': "texts of a corpus, or queries",
    '{"_id": "1", "text": "where?"}\n': "texts of a corpus, or queries",
    '{"id": "1", "input": "?"}\n' * 7: "questions without answers, as KILT's test files do",
}


@pytest.mark.parametrize(("text", "kind"), KINDS.items())
def test_a_file_of_another_kind_is_said(
    text: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other, gold, guess = (tmp_path / name for name in ("other", "gold.jsonl", "guess.jsonl"))
    for path, content in ((other, text), (gold, GOLD), (guess, GUESS)):
        path.write_text(content)
    assert (other_kind(other) or "").startswith(kind)
    for given, wanted in (((gold, other), "As guess, name KILT records with predicted"), ((other, guess), "As gold, ")):
        assert main(["evaluate", "--gold", str(given[0]), "--guess", str(given[1])]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert f"{other} holds {kind}" in printed.err
        assert wanted in printed.err
        assert len(printed.err.splitlines()) == 2


@pytest.mark.parametrize(
    "text", [GOLD, GUESS, "", "\n", '{"id": "1"}\n', "[]\n", "hello world\n", '{"id": "1", "input": "?"}\n' + GOLD]
)
def test_what_may_be_records_is_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "one").write_text(text)
    assert other_kind(tmp_path / "one") is None


@pytest.mark.parametrize(
    ("gold", "guess", "said"),
    [
        (GUESS.replace('"id"', '"input": "?", "id"'), GOLD, "exchange gold and guess"),
        (GOLD, "", "guess.jsonl holds no predictions. As guess, name KILT records with predicted answers"),
        (GOLD, "\n\n", "guess.jsonl holds no predictions"),
        ("", GUESS, "gold.jsonl: no right answers, so nothing to score"),
        (
            GOLD.replace('"answer"', '"meta"').replace('"ice"', "{}").replace('"x"', "{}"),
            GUESS,
            "no right answer for id '1'",
        ),
    ],
)
def test_files_that_give_no_figure_are_said(
    gold: str, guess: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in (("gold", gold), ("guess", guess)):
        (tmp_path / f"{name}.jsonl").write_text(text)
    assert main(["evaluate", "--gold", str(tmp_path / "gold.jsonl"), "--guess", str(tmp_path / "guess.jsonl")]) == 2
    printed = capsys.readouterr()
    assert (said in printed.err, printed.out) == (True, ""), printed.err


def test_a_file_is_not_scored_against_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gold.jsonl").write_text(GUESS.replace('"id"', '"input": "?", "id"'))
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "gold.jsonl")
    for guess in ("gold.jsonl", "./gold.jsonl", "link.jsonl"):
        assert main(["evaluate", "--gold", str(tmp_path / "gold.jsonl"), "--guess", f"{tmp_path}/{guess}"]) == 2
        assert "is both gold and guess, which says nothing: name the predictions as guess" in capsys.readouterr().err


def test_zeros_are_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gold.jsonl").write_text(GOLD)
    for guess, said in (
        ('{"id": "1", "output": [{"answer": " "}]}\n', "1 of 1 answers in {} are blank: they score 0."),
        (
            '{"id": "1", "output": [{"answer": "ice"}]}\n',
            "1 of 1 answers in {} name no page: retrieval and KILT scores",
        ),
    ):
        path = tmp_path / "guess.jsonl"
        path.write_text(guess)
        assert main(["evaluate", "--gold", str(tmp_path / "gold.jsonl"), "--guess", str(path)]) == 0
        assert said.format(path) in capsys.readouterr().out.replace("\n", " ")


@pytest.mark.parametrize(
    ("bare", "pages", "most"),
    [(1, 1, "0.5000"), (1, 2, "0.6667"), (3, 1, "0.2500"), (2, 0, ""), (0, 2, "")],
)
def test_right_answers_without_a_page_bound_the_kilt_score(bare: int, pages: int, most: str, tmp_path: Path) -> None:
    place = {"wikipedia_id": "chad"}
    outputs = [{"answer": "x"}] * bare + [{"answer": "x", "provenance": [place]}] * pages
    gold, guess = tmp_path / "gold.jsonl", tmp_path / "guess.jsonl"
    gold.write_text(
        "".join(json.dumps({"id": n, "input": "?", "output": [one]}) + "\n" for n, one in enumerate(outputs))
    )
    best = {"answer": "x", "provenance": [place]}
    guess.write_text("".join(json.dumps({"id": n, "output": [best]}) + "\n" for n in range(len(outputs))))
    found = evaluate_files(gold, guess)
    said = (
        f"{bare} of {len(outputs)} right answers in {gold} name no page: they count 0 in retrieval, and the KILT score"
    )
    assert found.remarks == ((f"{said} is {most} at most.",) if most else ())
    if most:
        assert f"{found.kilt('em'):.4f}" == most, "which a perfect prediction reaches"

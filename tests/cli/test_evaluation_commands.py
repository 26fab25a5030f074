"""`reml evaluate`: the table, the JSON, and that it starts without the heavy libraries."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from reml.cli.dispatch import execute
from reml.cli.evaluation_commands import evaluate, measure
from reml.evaluation.kilt_files import InvalidFilesError, evaluate_files

GOLD = (
    '{"id": "x", "input": "q", "output": [{"answer": "Oslo", "provenance": [{"wikipedia_id": "1", "title": "T"}]}]}\n'
)
GUESS = """{"id": "x", "output": [{"answer": "oslo!", "provenance": [{"wikipedia_id": "1"}]}]}
{"id": "y", "output": [{"answer": ""}]}
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "gold.jsonl").write_text(GOLD)
    (tmp_path / "guess.jsonl").write_text(GUESS)
    return tmp_path / "gold.jsonl", tmp_path / "guess.jsonl"


def test_prints_tables_and_writes_json(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate(*files, json=tmp_path / "new" / "scores.json", depths=(1, 3))
    scores = json.loads((tmp_path / "new" / "scores.json").read_text())
    assert scores["downstream"]["downstream"] == {"accuracy": 0.0, "em": 1.0, "f1": 1.0, "rougel": 0.0}
    assert scores["downstream"]["retrieval"] == {"Rprec": 1.0, "recall@5": 1.0}
    assert scores["retrieval"]["precision@3"] == pytest.approx(1 / 3)
    printed = capsys.readouterr().out
    assert "answers of 1 examples" in printed
    assert "0.3333" in printed
    assert "1 predictions are for ids" in printed


def test_bad_files_write_nothing(tmp_path: Path) -> None:
    with pytest.raises(InvalidFilesError):
        evaluate(tmp_path / "no", tmp_path / "none", json=tmp_path / "scores.json")
    assert not (tmp_path / "scores.json").exists()


def test_starts_without_heavy_libraries() -> None:
    heavy = {"torch", "transformers", "scipy", "numba"}
    code = f"import reml.cli.evaluation_commands, sys; print({heavy} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


RUN = "q Q0 b 1 2.0 t\nq Q0 c 2 1.0 t\n"


@pytest.mark.parametrize(
    ("run", "relevance", "extra", "said"),
    [
        ("", "q 0 b 1\n", (), "run.trec has no line"),
        (RUN, "", (), "judged.qrels has no line"),
        ("001 Q0 b 1 2.0 t\n", "1 0 b 1\n", (), "the nearest are '001' and '1'"),
        ("q Q0 Lima_(Peru) 1 1 t\n", "q 0 Lima_%28Peru%29 1\n", (), "'Lima_(Peru)' and 'Lima_%28Peru%29'"),
        (RUN, "q 0 b 0\n", (), "no page of relevance 1 or more"),
        (RUN + "q Q0 d 3 nan t\n", "q 0 b 1\n", (), "run.trec, line 3: the score is 'nan'"),
        (RUN + "q Q0 b 3 0.5 t\n", "q 0 b 1\n", (), "run.trec, line 3: page 'b' of question 'q' stands in line 1"),
        (RUN + "q Q0 d e 3 0.5 t\n", "q 0 b 1\n", (), "run.trec, line 3: 7 fields where 6 must be"),
        (RUN, "query-id\tcorpus-id\tscore\nq\tb\tx\n", (), "judged.qrels, line 2: the score is 'x'"),
        (RUN, "q 0 b 1\nq 0 c 0.5\n", (), "judged.qrels, line 2: the relevance is '0.5'"),
        (RUN, "q 0 b 2147483647\n", (), "judged.qrels, line 1: the relevance is '2147483647'"),
        (RUN, "q 0 b 1\n", ("--measures", "nDCG@0"), "give a whole number from 1"),
        (RUN, "q 0 b 1\n", ("--measures", "RBP(p=2)"), "give a number between 0 and 1"),
        (RUN, "q 0 b 1\n", ("--measures", "Accuracy@1"), "is not defined for these files"),
    ],
)
def test_measure_prints_no_figure_for_files_that_do_not_meet(
    run: str, relevance: str, extra: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("ir_measures", reason="the extra `measures` is not installed")
    (tmp_path / "run.trec").write_text(run)
    (tmp_path / "judged.qrels").write_text(relevance)
    words = ["measure", "--run", str(tmp_path / "run.trec"), "--relevance", str(tmp_path / "judged.qrels"), *extra]
    assert execute(words) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ""


def test_measure_takes_settings_with_commas(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ir_measures", reason="the extra `measures` is not installed")
    (tmp_path / "run.trec").write_text(RUN)
    (tmp_path / "judged.qrels").write_text("q 0 b 1\n")
    files = ["--run", str(tmp_path / "run.trec"), "--relevance", str(tmp_path / "judged.qrels")]
    assert execute(["measure", *files, "--measures", "P(rel=1,judged_only=True)@2, ERR@10"]) == 0
    printed = capsys.readouterr().out
    assert "0.5000" in printed
    assert "0.0625" in printed


@pytest.mark.parametrize(
    ("gold", "guess", "said"),
    [
        ("", GUESS, "gold.jsonl: no right answers, so nothing to score"),
        ("\n \n", GUESS, "gold.jsonl: no right answers, so nothing to score"),
        (GOLD, "", "guess.jsonl holds no predictions. As guess, name KILT records"),
        (GOLD.replace('"Oslo"', '" "'), GUESS, "gold.jsonl, line 1: no right answer for id 'x'"),
        (GOLD, GUESS.replace('"x"', '"X"'), "no prediction is for an id of"),
        (GOLD, GUESS.replace('"x"', '"X"'), "the nearest are 'X' and 'x'"),
        (GOLD.replace('"1"', '"Lima_%28Peru%29"'), GUESS.replace('"1"', '"Lima_(Peru)"'), "no page is one of"),
        (GOLD.replace('"1"', '"0057"'), GUESS.replace('"1"', '"57"'), "the nearest are '57' and '0057'"),
        (GOLD, GUESS.replace('"1"', '"Oslo"'), "there are 'Oslo' and '1'. Write ids alike, or leave provenance out"),
        (GOLD.replace('"x"', "1"), GUESS.replace('"x"', '"001"'), "the nearest are '001' and '1'"),
        (GOLD.replace('"x"', '"a b"'), GUESS.replace('"x"', '"a%20b"'), "the nearest are 'a%20b' and 'a b'"),
        (GOLD.replace('"x"', '"a b"'), GUESS.replace('"x"', '"a_b"'), "the nearest are 'a_b' and 'a b'"),
        (GOLD.replace('"x"', '"\\u00e9"'), GUESS.replace('"x"', '"e\\u0301"'), "no prediction is for an id of"),
        (GOLD.replace('"x"', '"\\ufeff1"'), GUESS.replace('"x"', '"1"'), "no prediction is for an id of"),
        (GOLD.replace('"x"', '"1\\u0000"'), GUESS.replace('"x"', '"1"'), "no prediction is for an id of"),
        (
            GOLD + GOLD.replace('"x"', '"7"'),
            GUESS.replace('"y"', '"007"'),
            "no prediction for id '7', but one for '007'",
        ),
    ],
)
def test_evaluate_prints_no_figure_for_files_that_do_not_meet(
    gold: str, guess: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gold.jsonl").write_text(gold)
    (tmp_path / "guess.jsonl").write_text(guess)
    assert execute(["evaluate", "--gold", str(tmp_path / "gold.jsonl"), "--guess", str(tmp_path / "guess.jsonl")]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ""


def test_evaluate_scores_pages_that_are_wrong(files: tuple[Path, Path]) -> None:
    """A page of the same kind that is not the right one is a miss, not another writing."""
    files[1].write_text(GUESS.replace('"1"', '"7"'))
    scores = evaluate_files(*files)
    assert (scores.mean("em"), scores.mean("Rprec"), scores.mean("KILT-em")) == (1.0, 0.0, 0.0)


def test_evaluate_leaves_cells_empty_where_no_page_is_right(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    files[0].write_text('{"id": "x", "input": "q", "output": [{"answer": "Oslo"}]}\n')
    files[1].write_text('{"id": "x", "input": "q", "output": [{"answer": "Oslo", "provenance": []}]}\n')
    evaluate(*files, passages=True)
    printed = capsys.readouterr().out
    assert "retrieval: no right answer names a page" in printed
    assert "passages: no right answer names a page" in printed
    assert re.search(r"^ em +1\.0000 *$", printed, re.MULTILINE)
    assert re.search(r"^ 20 +0\.0000 *$", printed, re.MULTILINE), "only whether texts have the answer is measured"


def test_measure_reads_beirs_judgements(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run.trec").write_text(RUN)
    (tmp_path / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\tc\t1\n")
    measure(tmp_path / "run.trec", tmp_path / "test.tsv", "RR@10")
    assert "0.5000" in capsys.readouterr().out


QUOTED = GUESS.replace('"wikipedia_id": "1"}', '"wikipedia_id": "1", "text": "Bergen"}')


@pytest.mark.parametrize(("guess", "shown"), [(GUESS, None), (QUOTED, 0.0)])
def test_context_that_no_prediction_quotes_is_not_measured(
    guess: str, shown: float | None, files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files[1].write_text(guess)
    evaluate(*files, json=tmp_path / "scores.json", depths=(1, 5))
    retrieval = json.loads((tmp_path / "scores.json").read_text())["retrieval"]
    assert {retrieval[name] for name in retrieval if "_in_context@" in name} == {shown}
    assert retrieval["entity_in_input"] == 0.0
    row = next(line for line in capsys.readouterr().out.splitlines() if re.match(r"\W*1\W", line))
    assert row.count("0.0000") == (0 if shown is None else 2)

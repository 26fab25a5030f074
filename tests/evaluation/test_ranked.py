"""nDCG and reciprocal rank by ir-measures, against hand arithmetic and against trec_eval's code reading the files."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reml.cli.evaluation_commands import measure
from reml.contract.examples import Answer, Example, Provenance
from reml.evaluation.ranked import ranked_measures
from reml.evaluation.trec import RankedPage, write_relevance, write_run

ir_measures = pytest.importorskip("ir_measures", reason="the extra `measures` is not installed")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Question `a b` has its two pages at 1 and 3, question `c` its one page at 2, question `d` no ranking."""
    pages = {"a b": ("p", "q"), "c": ("r",), "d": ("p",)}
    examples = [
        Example(name, "?", tuple(Answer("x", (Provenance(page),)) for page in right)) for name, right in pages.items()
    ]
    rankings = {
        "a b": [RankedPage("p", 3.0), RankedPage("z", 2.0), RankedPage("q", 1.0)],
        "c": [RankedPage("z", 2.0), RankedPage("r", 1.0)],
    }
    write_relevance(tmp_path / "relevance", examples)
    write_run(tmp_path / "run.trec", rankings, tag="t")
    return tmp_path / "run.trec", tmp_path / "relevance"


def written(folder: Path, run: str, relevance: str) -> tuple[Path, Path]:
    """Write lines, apart by `;`, the fields that nobody reads left out."""
    ranked = [line.split() for line in run.split(";") if line]
    judged = [line.split() for line in relevance.split(";") if line]
    (folder / "r.trec").write_text("".join(f"{line[0]} Q0 {' '.join(line[1:])} t\n" for line in ranked))
    (folder / "j.qrels").write_text("".join(f"{line[0]} 0 {' '.join(line[1:])}\n" for line in judged))
    return folder / "r.trec", folder / "j.qrels"


def test_measures_by_hand(files: tuple[Path, Path]) -> None:
    found = ranked_measures(*files, measures=("nDCG@10", "RR@10", "R@2"))
    ideal = 1 + 1 / math.log2(3)
    assert found == {
        "nDCG@10": pytest.approx(((1 + 1 / 2) / ideal + 1 / math.log2(3) + 0) / 3),
        "RR@10": pytest.approx((1 + 1 / 2 + 0) / 3),
        "R@2": pytest.approx((1 / 2 + 1 + 0) / 3),
    }
    assert found.remarks == ("1 of 3 judged questions have no ranking: they count 0.",)


def test_the_command_prints_them(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    measure(*files, measures="RR@10")
    printed = capsys.readouterr().out
    assert "0.5000" in printed
    assert "1 of 3 judged questions have no ranking" in printed


def test_what_is_not_known_is_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"ir-measur\.es"):
        ranked_measures(*files, measures=("nDGC@10",))
    (tmp_path / "bad.trec").write_text("no run\n")
    with pytest.raises(ValueError, match=r"bad\.trec, line 1: 2 fields"):
        ranked_measures(tmp_path / "bad.trec", files[1])


RANKED = ("Rprec", "P@1", "P@3", "RR", "RR@10", "RR@1000", "AP", "nDCG", "nDCG@10", "nDCG@3", "R@2", "Bpref")
tied = st.lists(st.sampled_from([0.0, -0.0, 1.0, 0.5, 0.5 + 1e-12, -2.5]), min_size=1, max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.lists(tied, min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_every_reader_ranks_what_we_write_alike(tmp_path: Path, scores: list[list[float]], random: object) -> None:
    """R-precision and reciprocal rank of the order that was given; trec_eval reading the file; our `measure`."""
    rankings, relevance, wanted = {}, [], {"Rprec": 0.0, "RR": 0.0}
    for number, row in enumerate(scores):
        pages = [f"p{place}" for place in range(len(row))]
        random.shuffle(pages)  # type: ignore[attr-defined]
        right = sorted(random.sample(range(len(row)), random.randint(1, len(row))))  # type: ignore[attr-defined]
        rankings[f"q {number}"] = [RankedPage(page, score) for page, score in zip(pages, row, strict=True)]
        relevance += [f"q\\u0020{number} 0 {pages[place]} 1" for place in right]
        wanted["Rprec"] += sum(place < len(right) for place in right) / len(right) / len(scores)
        wanted["RR"] += 1 / (right[0] + 1) / len(scores)
    run, judged = tmp_path / "run.trec", tmp_path / "qrels"
    write_run(run, rankings, tag="t")
    judged.write_text("\n".join(relevance))
    ours = ranked_measures(run, judged, RANKED)
    read = list(ir_measures.read_trec_qrels(str(judged))), list(ir_measures.read_trec_run(str(run)))
    theirs = ir_measures.calc_aggregate([ir_measures.parse_measure(name) for name in RANKED], *read)
    assert ours == {name: pytest.approx(theirs[ir_measures.parse_measure(name)]) for name in RANKED}
    assert {name: ours[name] for name in wanted} == pytest.approx(wanted)
    assert ours["RR"] == pytest.approx(ours["RR@10"])
    assert ours.remarks == ()


@pytest.mark.parametrize(
    ("run", "relevance", "means", "said"),
    [
        # Equal scores: by rank, for trec_eval's measures and MS MARCO's alike.
        ("q a 1 1;q b 2 1;q c 3 1", "q a 1", {"Rprec": 1, "RR": 1, "RR@10": 1}, "equal score, such as 'a' and 'b'"),
        ("q a 3 1;q b 2 1;q c 1 1", "q a 1", {"Rprec": 0, "RR": 1 / 3, "RR@10": 1 / 3}, "equal score"),
        ("q c 0 1;q a 0 1;q b 0 1", "q a 1", {"RR": 1 / 2, "RR@10": 1 / 2, "P@2": 1 / 2}, "equal score"),
        ("q a 1 1;q b 2 2", "q b 1", {"P@1": 1, "RR@10": 1}, "ranks that contradict their scores"),
        # What meets in part is counted.
        ("q a 1 1;r a 1 1", "q a 1", {"RR": 1}, "1 of 2 questions of .* are not judged"),
        ("q a 1 1", "q a 1;r a 1", {"RR": 1 / 2, "NumQ": 2, "NumRel": 2}, "1 of 2 judged questions have no ranking"),
        ("1 a 1 1;002 a 1 1", "1 a 1;2 a 1", {"RR": 1 / 2}, "such as '002' in the run and '2' in the judgements"),
        (
            "q a 1 2;q Lima_(Peru) 2 1",
            "q a 1;q Lima_%28Peru%29 1",
            {"R@2": 1 / 2},
            "'Lima_.Peru.' for 'Lima_%28Peru%29'",
        ),
        ("q z 1 1", "q p 1", {"RR": 0, "nDCG@10": 0}, "no page that .* ranks for a question is judged"),
        # Ids that are no numbers, grades, and cut-offs beyond the ranking.
        ("q b 1 2", "q b 1", {"ERR@10": 1 / 16, "nDCG(dcg='exp-log2')@5": 1}, ""),
        ("q b 1 2;q c 2 1", "q b 1;q c 3", {"nDCG@1000000": (1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3))}, ""),
        ("q b 1 2;q c 2 1", "q b 1;q c 3", {"P(rel=2)@2": 1 / 2, "RR(rel=3)": 1 / 2, "nDCG@1": 1 / 3}, ""),
        ("q b 1 2;q c 2 1", "q b 1;q c -2", {"P@2": 1 / 2, "Judged@2": 1, "SetF(beta=2.0)": 3 / 4}, ""),
        ("q b 1 2;q c 2 1", "q c 1;q d 1", {"nDCG(gains={0:0,1:3})@2": 1 / math.log2(3) / (1 + 1 / math.log2(3))}, ""),
        ("q b 1 2;q c 2 1;q e 3 0", "q c 1;q e 0", {"Accuracy": 1 / 2, "P(judged_only=True)@1": 1}, ""),
    ],
)
def test_files_and_figures_by_hand(
    run: str, relevance: str, means: dict[str, float], said: str, tmp_path: Path
) -> None:
    found = ranked_measures(*written(tmp_path, run, relevance), measures=list(means))
    assert found.means == pytest.approx(means)
    assert bool(said) == bool(found.remarks)
    if said:
        assert re.search(said, " ".join(found.remarks))


@pytest.mark.parametrize(
    ("run", "relevance", "why"),
    [
        ("", "1 b 1", "r.trec has no line"),
        ("1 b 1 2", "", "j.qrels has no line"),
        ("001 b 1 2", "1 b 1", "no question of .* the nearest are '001' and '1'"),
        ("Q1 b 1 2", "q1 b 1", "no question of .* the nearest are 'Q1' and 'q1'"),
        ("1.0 b 1 2", "1 b 1", "no question of .* the nearest are '1.0' and '1'"),
        ("1\0 b 1 2", "1 b 1", "no question of .* the nearest are '1.x00' and '1'|NUL"),
        ("x\ufeff b 1 2", "x b 1", "no question of .* the nearest are 'x.ufeff' and 'x'"),
        ("a%20b b 1 2", "a\\u0020b b 1", "no question of .* the nearest are 'a%20b' and 'a b'"),
        ("a b 1 2", "7 b 1", "no question of .* there are 'a' and '7'"),
        ("q Lima_(Peru) 1 2", "q Lima_%28Peru%29 1", "no page that .* the nearest are 'Lima_.Peru.' and 'Lima_%28"),
        ("q Lima_%2528Peru%2529 1 2", "q Lima_%28Peru%29 1", "no page that .* Write ids alike"),
        ("q 0012 1 2", "q 12 1", "no page that .* the nearest are '0012' and '12'"),
        ("q New\\u0020York 1 2", "q New_York 1", "no page that .* 'New York' and 'New_York'"),
        ("q D12 1 2", "q 13 1", "no page that .* Write ids alike"),
        ("q b 1 2", "q b 0", "no page of relevance 1 or more"),
        ("q b 1 2", "q b -1;r b 1", "no page of relevance 1 or more"),
    ],
)
def test_files_that_do_not_meet_are_refused(run: str, relevance: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=why):
        ranked_measures(*written(tmp_path, run, relevance))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        *((f"{name}@0", "give a whole number from 1 to 1000000") for name in ("nDCG", "P", "R", "AP", "Success", "RR")),
        ("nDCG@-1", "is no measure"),
        ("nDCG@1e9", "cutoff=1000000000.0: give a whole number"),
        ("nDCG@10000000000", "give a whole number from 1 to 1000000"),
        ("P@True", "cutoff=True: give a whole number"),
        ("P@'5'", "cutoff='5': give a whole number"),
        ("P", "lacks its cutoff"),
        ("P(rel=0)@5", "rel=0: give a whole number from 1"),
        ("P(rel=2)@5", "counts pages of relevance 2 or more, and .* has 1 at most"),
        ("P(grade=2)@5", "has no setting 'grade'"),
        ("P(judged_only=1)@5", "judged_only=1: give True or False"),
        ("RBP(p=2)", "p=2: give a number between 0 and 1"),
        ("RBP", "no program|not installed"),
        ("RBP(rel=1)", "is computed by cwl_eval, which is not installed"),
        ("SDCG@5", "lacks its max_rel"),
        ("INSQ", "lacks its max_rel"),
        ("SetF(beta=0)", "beta=0: give a number from 0.001"),
        ("SetF(beta=1e-9)", "give a number from 0.001"),
        ("SetF(beta=1e999)", "give a number from 0.001"),
        ("Compat(p=1.5)", "p=1.5: give a number between 0 and 1"),
        ("IPrec@2", "recall=2: give a number from 0 to 1"),
        ("IPrec@0.125", "two decimals at most"),
        ("ERR", "a cut-off after `@` may be wanted"),
        ("alpha_nDCG@5", "Measures of subtopics are not computed here"),
        ("nDCG(gains={1:-1})@5", "is no measure"),
        ("nDCG(gains={1:True})@5", "grades of judgements with their gains"),
        ("nDCG(gains={1:1e9})@5", "grades of judgements with their gains"),
        ("nDCG(gains={1:10000000000})@5", "grades of judgements with their gains"),
        ("nDCG(dcg='ln')@5", "give 'log2' or 'exp-log2'"),
        ("Accuracy@1", "Accuracy@1 is not defined for these files"),
        ("", "is no measure"),
        ("nDCG@", "is no measure"),
        ("P@5;R@5", "is no measure"),
        ("__import__('os')", "is no measure"),
        ("P(**{'cutoff':5})", "is no measure"),
        ("(" * 150, "is no measure"),
        ("P" * 5000, "is no measure"),
        ("P@5\0", "is no measure"),
    ],
)
def test_measures_that_cannot_be_computed_are_refused_in_a_sentence(name: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        ranked_measures(*written(tmp_path, "q b 1 2;q c 2 1", "q b 1"), measures=[name])
    assert len(str(caught.value)) < 600


def test_a_measure_that_is_not_defined_leaves_its_cell_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measure(*written(tmp_path, "q b 1 2;q c 2 1", "q b 1"), measures="Accuracy@1, P(rel=1,judged_only=True)@1")
    printed = capsys.readouterr().out
    assert "nan" not in printed
    rows = [line.split() for line in printed.splitlines()]
    assert ["Accuracy@1"] in rows
    assert ["P(rel=1,judged_only=True)@1", "1.0000"] in rows
    assert "Accuracy@1 is not defined for these files" in printed


def test_grades_that_a_program_does_not_take_are_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'ERR@10' is defined for relevance up to 4, and .* has 5"):
        ranked_measures(*written(tmp_path, "q b 1 2", "q b 5"), measures=["ERR@10"])


def test_high_grades_are_measured_in_little_memory(tmp_path: Path) -> None:
    found = ranked_measures(*written(tmp_path, "q b 1 2;q c 2 1", "q b 1;q c 100000"), measures=["nDCG@1"])
    assert found == {"nDCG@1": pytest.approx(1e-5)}
    assert found.remarks == ()


def test_a_question_all_of_whose_grades_are_negative_counts_0(tmp_path: Path) -> None:
    """As in TREC's web tracks, where -2 is spam: trec_eval ends the process at such a question alone."""
    files = written(tmp_path, "q b 1 2;r c 1 2;r d 2 1", "q b 1;r c -2;r d -11")
    found = ranked_measures(*files, measures=["nDCG@10", "AP", "RR", "Bpref", "P@1"])
    assert found == dict.fromkeys(("nDCG@10", "AP", "RR", "Bpref", "P@1"), 0.5)


PIECES = (*b"q 7 0 -1 \xff 1e400 nan 99999 \\u0020".split(), b" ", b"\t", b"\n", b"\r\n", b"\xc2\xa0")
edits = st.lists(st.tuples(st.booleans(), st.floats(0, 1), st.integers(0, 3), st.sampled_from(PIECES)), max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(edits)
def test_files_with_errors_give_figures_or_a_sentence(
    tmp_path: Path, changes: list[tuple[bool, float, int, bytes]]
) -> None:
    """Cut and paste pieces anywhere into two sound files: what is read is measured, all else refused."""
    texts = [b"q Q0 a 1 2.5 t\nq Q0 b 2 1.5 t\nr Q0 c 1 9 t\n", b"q 0 b 1\nq 0 x 2\nr 0 c 1\n"]
    for which, where, cut, piece in changes:
        start = round(where * len(texts[which]))
        texts[which] = texts[which][:start] + piece + texts[which][start + cut :]
    for name, text in zip(("run", "qrels"), texts, strict=True):
        (tmp_path / name).write_bytes(text)
    try:
        found = ranked_measures(tmp_path / "run", tmp_path / "qrels", ("nDCG@10", "RR@10", "RR", "AP", "ERR@5"))
    except ValueError:
        return
    assert all(0 <= mean <= 1 for mean in found.values())
    assert found["RR"] == pytest.approx(found["RR@10"])

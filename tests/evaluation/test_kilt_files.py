"""KILT files: streams, and everything that is wrong with them in one message."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from reml.collection.disk import build_collection
from reml.collection.sources.kilt_pages import JsonlPages, write_pages
from reml.contract.examples import Json, Page
from reml.evaluation.kilt_files import InvalidFilesError, evaluate_files
from reml.evaluation.passages import evaluate_passage_files


def gold(name: str) -> Json:
    return {"id": name, "input": "q", "output": [{"answer": "a", "provenance": [{"wikipedia_id": "1"}]}]}


def guess(name: str, *answers: str) -> Json:
    return {"id": name, "output": [{"answer": answer, "provenance": [{"wikipedia_id": "1"}]} for answer in answers]}


def lines(path: Path, *records: Json | bytes) -> Path:
    data = b"".join(
        (record if isinstance(record, bytes) else json.dumps(record).encode()) + b"\n" for record in records
    )
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_order_blank_lines_and_further_predictions_do_not_matter(tmp_path: Path) -> None:
    golds = lines(tmp_path / "gold.jsonl", gold("x"), b"  ", gold("y"))
    guesses = lines(tmp_path / "guess.jsonl.gz", guess("y", "wrong"), guess("z", "a"), b"", guess(" x ", "a"))
    result = evaluate_files(golds, guesses)
    assert result.ids == ("x", "y")
    assert result.values["em"].tolist() == [1.0, 0.0]
    assert result.unmatched == 1


def test_all_problems_come_in_one_message(tmp_path: Path) -> None:
    golds = lines(
        tmp_path / "gold.jsonl",
        gold("x"),
        gold("x"),
        {"id": "n", "input": "q", "output": [{"answer": " "}]},
        b"{",
        gold("y"),
        gold("m"),
    )
    guesses = lines(
        tmp_path / "guess.jsonl", guess("x", "a"), guess("x", "b"), guess("y", "a", "b"), b"\xff", guess("n", "a"), b"3"
    )
    with pytest.raises(InvalidFilesError) as caught:
        evaluate_files(golds, guesses)
    expected = [
        "gold.jsonl, line 2: id 'x' comes a second time",
        "gold.jsonl, line 3: no right answer for id 'n'",
        "gold.jsonl, line 4: not JSON",
        "guess.jsonl, line 2: a second prediction for id 'x'",
        "guess.jsonl, line 3: 2 outputs",
        "guess.jsonl, line 4: not UTF-8",
        "guess.jsonl, line 6: the record is int, not an object",
        "guess.jsonl: no prediction for id 'm'",
    ]
    assert caught.value.count == len(expected)
    for problem in expected:
        assert problem in str(caught.value)


def test_many_problems_are_counted_and_the_first_shown(tmp_path: Path) -> None:
    golds = lines(tmp_path / "gold.jsonl", *(gold(str(number)) for number in range(50)))
    guesses = lines(tmp_path / "guess.jsonl", *(guess(str(number), "a", *"b"[:number]) for number in range(50)))
    with pytest.raises(InvalidFilesError, match="49 problems") as caught:
        evaluate_files(golds, guesses)
    assert "... and 29 more" in str(caught.value)
    assert str(caught.value).count("2 outputs") == 20


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("q1",), "14 of 15 ids of {gold} have no prediction; the first: 'q2'"),
        (("q2", "Q9", "x"), "14 of 15 ids of {gold} have no prediction; the first: 'q9', but one for 'Q9'"),
        (tuple(f"q{n}" for n in range(3, 16)), "2 of 15 ids of {gold} have no prediction; the first: 'q1'"),
        (tuple(f"q{n}" for n in range(2, 16)), "no prediction for id 'q1'"),
    ],
)
def test_predictions_that_are_missing_are_one_problem(given: tuple[str, ...], said: str, tmp_path: Path) -> None:
    golds = lines(tmp_path / "gold.jsonl", *(gold(f"q{number}") for number in range(1, 16)))
    guesses = lines(tmp_path / "guess.jsonl", *(guess(name, "a") for name in given))
    with pytest.raises(InvalidFilesError) as caught:
        evaluate_files(golds, guesses)
    assert str(caught.value) == f"1 problem with the files:\n  {guesses}: {said.format(gold=golds)}"


def test_both_files_missing_is_said_of_both(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidFilesError, match=r"2 problems(.|\n)*gold.jsonl does not exist(.|\n)*guess.jsonl does not"
    ):
        evaluate_files(tmp_path / "gold.jsonl", tmp_path / "guess.jsonl")


def test_a_gzip_cut_short_is_said(tmp_path: Path) -> None:
    golds = lines(tmp_path / "gold.jsonl.gz", *(gold(str(number)) for number in range(2000)))
    golds.write_bytes(golds.read_bytes()[:-200])
    with pytest.raises(InvalidFilesError, match=r"gold.jsonl.gz is cut short or damaged after line \d+"):
        evaluate_files(golds, lines(tmp_path / "guess.jsonl"))


def test_gzip_is_known_by_its_bytes_and_a_byte_order_mark_passed_over(tmp_path: Path) -> None:
    golds, guesses = lines(tmp_path / "gold.jsonl", gold("x")), lines(tmp_path / "guess.jsonl", guess("x", "a"))
    plain = evaluate_files(golds, guesses)
    for path in (golds, guesses):
        path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + path.read_bytes()))
    zipped = evaluate_files(golds, guesses)
    assert (zipped.ids, zipped.mean("em")) == (plain.ids, plain.mean("em"))
    golds.rename(tmp_path / "plain.jsonl.gz")
    assert evaluate_files(tmp_path / "plain.jsonl.gz", guesses).ids == ("x",)


def test_half_a_surrogate_pair_is_said(tmp_path: Path) -> None:
    golds = lines(tmp_path / "gold.jsonl", gold("x"))
    guesses = lines(tmp_path / "guess.jsonl", guess("x", "\ud800"))
    with pytest.raises(InvalidFilesError, match=r"guess\.jsonl, line 1: .*stands alone"):
        evaluate_files(golds, guesses)


def test_nesting_without_end_is_said(tmp_path: Path) -> None:
    golds = lines(tmp_path / "gold.jsonl", b"[" * 100_000)
    with pytest.raises(InvalidFilesError, match="line 1: not JSON"):
        evaluate_files(golds, lines(tmp_path / "guess.jsonl"))


@pytest.mark.parametrize("made", [False, True])
def test_provenance_that_is_not_in_the_knowledge_source_is_said(made: bool, tmp_path: Path) -> None:
    golds = lines(tmp_path / "gold.jsonl", gold("x"), gold("y"))
    places: Json = [{"wikipedia_id": "1"}, {"wikipedia_id": "9"}, {"wikipedia_id": "caf\u00e9"}]
    output: Json = [{"answer": "a", "provenance": places}]
    guesses = lines(tmp_path / "guess.jsonl", {"id": "x", "output": output}, {"id": "y", "output": output})
    pages = tmp_path / "pages.jsonl.gz"
    write_pages([Page("1", "t", ("t",)), Page("cafe\u0301", "t", ("t",))], pages)
    if made:
        build_collection(JsonlPages(pages), tmp_path / "passages")
        pages = tmp_path / "passages"
    with pytest.raises(InvalidFilesError) as caught:
        evaluate_files(golds, guesses, pages=pages)
    assert caught.value.count == 2, "each page once"
    assert "page '9', given for id 'x', is not in" in str(caught.value)
    assert "page 'caf\u00e9', given for id 'x'" in str(caught.value), "ids are compared as they are written"
    assert evaluate_files(golds, guesses).mean("Rprec") == 1


def test_pages_that_cannot_be_read_are_said_with_all_else(tmp_path: Path) -> None:
    golds = lines(tmp_path / "gold.jsonl", gold("x"))
    guesses = lines(tmp_path / "guess.jsonl", guess("y", "a"))
    with pytest.raises(InvalidFilesError, match=r"2 problems(.|\n)*no prediction(.|\n)*absent.jsonl: its pages cannot"):
        evaluate_files(golds, guesses, pages=tmp_path / "absent.jsonl")


def test_a_prediction_of_50_megabytes_is_scored(tmp_path: Path) -> None:
    right: Json = {"id": "x", "input": "q", "output": [{"answer": "zebra"}]}
    golds, text = lines(tmp_path / "gold.jsonl", right), "word " * 10_000_000
    record: Json = {"id": "x", "output": [{"answer": "zebra", "provenance": [{"wikipedia_id": "1", "text": text}]}]}
    assert evaluate_files(golds, lines(tmp_path / "guess.jsonl", record)).mean("em") == 1


def test_answers_are_compared_character_by_character(tmp_path: Path) -> None:
    """KILT's normalisation knows no Unicode forms: composed and decomposed letters differ, and so must ours."""
    names = ("composed", "decomposed", "hidden", "right to left", "blank")
    right = ("caf\u00e9", "caf\u00e9", "zero\u200bwidth", "\u05e9\u05dc\u05d5\u05dd", "a")
    given = ("CAF\u00c9", "cafe\u0301", "zerowidth", "\u05e9\u05dc\u05d5\u05dd!", " \u2009")
    golds: list[Json] = [
        {"id": name, "input": "q", "output": [{"answer": text}]} for name, text in zip(names, right, strict=True)
    ]
    guesses: list[Json] = [{"id": name, "output": [{"answer": text}]} for name, text in zip(names, given, strict=True)]
    found = evaluate_files(lines(tmp_path / "gold.jsonl", *golds), lines(tmp_path / "guess.jsonl", *guesses))
    assert found.values["em"].tolist() == [1.0, 0.0, 0.0, 1.0, 0.0]


def test_exchanged_files_are_called_so(tmp_path: Path) -> None:
    two: Json = {"id": "y", "input": "q", "output": [{"answer": "a"}, {"answer": "b"}]}
    golds = lines(tmp_path / "gold.jsonl", gold("x"), two)
    guesses = lines(tmp_path / "guess.jsonl", gold("x"), gold("y"))  # right answers of one output look like predictions
    assert evaluate_files(golds, guesses).ids == ("x", "y")
    with pytest.raises(
        InvalidFilesError, match=r"guess\.jsonl holds predictions and .*gold\.jsonl right answers: exch"
    ):
        evaluate_files(guesses, golds)


def placed(name: str, place: Json) -> Json:
    provenance: Json = [{"wikipedia_id": "1", **place}] if isinstance(place, dict) else []
    return {"id": name, "input": "q", "output": [{"answer": "a", "provenance": provenance}]}


BLEU: Json = {"bleu_score": 1.0, "title": "t"}
SPAN: Json = {"meta": {"evidence_span": ["a"]}, "start_paragraph_id": 1}
QUOTED: Json = {"text": "a is a letter", "start_paragraph_id": 1}
BARE: Json = {"title": "t", "section": "s", "start_paragraph_id": 1, "end_paragraph_id": 1}


@pytest.mark.parametrize(
    ("right", "given", "refused", "said"),
    [
        (BARE, BLEU, True, ""),
        (QUOTED, BLEU, True, ""),
        ({}, SPAN, True, ""),
        (None, SPAN, True, ""),
        (BLEU, BLEU, False, ""),  # oracles quote what is right
        (BLEU, SPAN, False, ""),
        (SPAN, BARE, False, ""),
        (BARE, BARE, False, ""),
        ({}, BARE, False, ""),
        ({}, QUOTED, False, ""),
        (QUOTED, QUOTED, False, ""),
        (QUOTED, BARE, False, "gold.jsonl quotes passages, as predictions do, and "),
        (QUOTED, None, False, "are gold and guess exchanged?"),
    ],
)
def test_files_of_one_output_are_told_apart_by_what_one_of_them_alone_has(
    right: Json, given: Json, refused: bool, said: str, tmp_path: Path
) -> None:
    golds = lines(tmp_path / "gold.jsonl", placed("x", right), placed("y", right))
    guesses = lines(tmp_path / "guess.jsonl", placed("y", given), placed("x", given))
    if refused:
        with pytest.raises(InvalidFilesError, match="exchange gold and guess"):
            evaluate_files(golds, guesses)
    else:
        told = " ".join(evaluate_files(golds, guesses).remarks)
        assert (said in told, "exchanged" in told) == (True, bool(said))


def test_a_prediction_without_output_is_no_sign_of_exchanged_files(tmp_path: Path) -> None:
    golds = lines(tmp_path / "gold.jsonl", gold("x"), gold("y"))
    guesses = lines(tmp_path / "guess.jsonl", gold("x"), {"id": "y", "input": "q"})
    with pytest.raises(InvalidFilesError, match="line 2: there is no `output`"):
        evaluate_files(golds, guesses)


@pytest.mark.parametrize("output", [{}, {"output": None}, {"output": []}])
@pytest.mark.parametrize("count", [1, 7])
def test_gold_records_without_output_are_counted_and_not_scored(
    output: dict[str, Json], count: int, tmp_path: Path
) -> None:
    """They come first, so that the file begins as one of questions alone does."""
    names = [f"open {number}" for number in range(count)]
    questions: list[Json] = [{"id": name, "input": "q", **output} for name in names]
    whole = [gold("x"), placed("y", {"wikipedia_id": "2"})]
    guesses = lines(tmp_path / "guess.jsonl", gold("x"), gold("y"), *map(gold, names[1:]))
    with_some = evaluate_files(lines(tmp_path / "gold.jsonl", *questions, *whole), guesses)
    alone = evaluate_files(lines(tmp_path / "alone.jsonl", *whole), guesses)
    assert with_some.ids == alone.ids == ("x", "y")
    assert {name: with_some.mean(name) for name in with_some.values} == {
        name: alone.mean(name) for name in alone.values
    }
    assert (with_some.unmatched, alone.unmatched) == (0, count - 1)
    (said,) = with_some.remarks
    assert said == f"{count} of {count + 2} records in {tmp_path / 'gold.jsonl'} have no output: they are not scored."
    assert evaluate_passage_files(tmp_path / "gold.jsonl", guesses).ids == ("x", "y")


def test_ids_come_once_among_records_without_output_too(tmp_path: Path) -> None:
    golds = lines(tmp_path / "gold.jsonl", gold("x"), {"id": "x", "input": "q"})
    with pytest.raises(InvalidFilesError, match="line 2: id 'x' comes a second time"):
        evaluate_files(golds, lines(tmp_path / "guess.jsonl", guess("x", "a")))


def test_a_folder_or_nothing_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    golds = lines(tmp_path / "gold.jsonl", gold("x"))
    with pytest.raises(InvalidFilesError, match=r"1 problem.*\n.* is a folder: name a file of KILT") as caught:
        evaluate_files(golds, tmp_path)
    assert "no prediction" not in str(caught.value)
    with pytest.raises(InvalidFilesError, match="2 problems"):
        evaluate_files(tmp_path, tmp_path / "absent.jsonl")


def test_pages_of_another_writing_are_said_only_if_none_is_right(tmp_path: Path) -> None:
    golds = lines(tmp_path / "gold.jsonl", gold("x"), gold("y"))
    output: Json = [{"answer": "a", "provenance": [{"wikipedia_id": "001"}]}]
    other: tuple[Json, Json] = ({"id": "x", "output": output}, {"id": "y", "output": output})
    with pytest.raises(InvalidFilesError, match=r"no page is one of .*; the nearest are '001' and '1'"):
        evaluate_files(golds, lines(tmp_path / "guess.jsonl", *other))
    assert evaluate_files(golds, lines(tmp_path / "guess.jsonl", other[0], guess("y", "a"))).mean("Rprec") == 0.5


@pytest.mark.parametrize(
    "output", ['{"answer": "a"}', '[{"answer": "a"}, {"answer": "b"}]', "[]", "null", "[{}]", '"a"']
)
def test_a_prediction_that_is_wrong_is_not_missing_too(output: str, tmp_path: Path) -> None:
    gold, guess = tmp_path / "gold.jsonl", tmp_path / "guess.jsonl"
    right = '{"id": "%s", "input": "q", "output": [{"answer": "Oslo"}]}\n'
    gold.write_text(right % "x" + right % "y")
    guess.write_text(right % "y" + f'{{"id": "x", "output": {output}}}\n')
    with pytest.raises(InvalidFilesError) as raised:
        evaluate_files(gold, guess)
    assert raised.value.count == 1
    assert f"{guess}, line 2: " in str(raised.value)

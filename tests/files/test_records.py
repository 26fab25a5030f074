from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.contract.examples import Answer, Example, Json, Provenance
from reml.files.records import RecordError, format_record, parse_record, read_chosen, read_examples, write_examples

RECORD: Json = {
    "id": "1",
    "input": "Chad [SEP] capital",
    "meta": {"left_context": "", "rank": [1, 2.5, None]},
    "output": [
        {
            "answer": "N'Djaména",
            "provenance": [
                {
                    "wikipedia_id": "7",
                    "title": "Chad",
                    "start_paragraph_id": 3,
                    "start_character": 4,
                    "end_paragraph_id": 3,
                    "end_character": 13,
                    "bleu_score": 1.0,
                    "section": "Government",
                    "text": "N'Djaména",
                    "meta": {},
                },
                {"wikipedia_id": "8"},
            ],
            "meta": {"source": "a"},
        },
        {"answer": ""},
        {"provenance": [{"wikipedia_id": "9", "title": "Mali"}]},
    ],
}


def test_every_field_of_a_record_is_read() -> None:
    example = parse_record(RECORD)
    assert example.id == "1"
    assert example.input == "Chad [SEP] capital"
    assert example.meta == {"left_context": "", "rank": [1, 2.5, None]}
    first, second, third = example.output
    assert first.text == "N'Djaména"
    assert first.meta == {"source": "a"}
    assert first.provenance[0] == Provenance("7", "Chad", 3, 4, 3, 13, 1.0, "Government", "N'Djaména", {})
    assert first.provenance[1] == Provenance("8")
    assert second == Answer("")
    assert third == Answer(None, (Provenance("9", "Mali"),))


def test_a_record_comes_back_with_its_keys_in_order() -> None:
    assert json.dumps(format_record(parse_record(RECORD))) == json.dumps(RECORD)


def test_a_record_without_output_stays_so() -> None:
    assert format_record(parse_record({"id": "1", "input": "x"})) == {"id": "1", "input": "x"}


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
objects = st.dictionaries(texts, json_values, max_size=2)
counts = st.none() | st.integers(0, 9)
provenances = st.builds(
    Provenance,
    texts,
    title=st.none() | texts,
    start_paragraph_id=counts,
    start_character=counts,
    end_paragraph_id=counts,
    end_character=counts,
    bleu_score=st.none() | st.floats(0, 1),
    section=st.none() | texts,
    text=st.none() | texts,
    meta=st.none() | objects,
)
answers = st.builds(
    Answer, text=st.none() | texts, provenance=st.lists(provenances, max_size=2).map(tuple), meta=st.none() | objects
)
examples = st.builds(Example, texts, texts, output=st.lists(answers, max_size=2).map(tuple), meta=objects)


@given(examples)
def test_any_example_comes_back_from_its_line(example: Example) -> None:
    assert parse_record(json.loads(json.dumps(format_record(example)))) == example


@pytest.mark.parametrize("name", ["hotpotqa-dev-kilt.jsonl.gz", "wow-dev-kilt.jsonl.gz"])
def test_kilts_own_files_come_back_byte_for_byte(shared: Path, tmp_path: Path, name: str) -> None:
    source = shared / "minikilt" / "raw_kilt" / name
    write_examples(read_examples(source), tmp_path / "copy.jsonl")
    assert (tmp_path / "copy.jsonl").read_bytes() == gzip.decompress(source.read_bytes())


@pytest.mark.parametrize("name", ["hotpotqa-merged-11-guess.jsonl.gz", "wow-merged-11-gold.jsonl.gz"])
def test_records_with_parts_left_out_come_back(shared: Path, tmp_path: Path, name: str) -> None:
    source = shared / "kilt_parity" / name
    write_examples(read_examples(source), tmp_path / "copy.jsonl.gz")
    with gzip.open(source, "rt") as before, gzip.open(tmp_path / "copy.jsonl.gz", "rt") as after:
        assert [json.loads(line) for line in after] == [json.loads(line) for line in before]


def test_limit_stops_reading_before_a_bad_line(tmp_path: Path) -> None:
    path = write_lines(tmp_path, '{"id": "1", "input": "x"}', "", '{"id": "2", "input": "y"}', "not json")
    assert [example.id for example in read_examples(path, limit=2)] == ["1", "2"]


def test_a_missing_file_is_named_at_the_call(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no file .*absent\.jsonl"):
        read_examples(tmp_path / "absent.jsonl")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"id": "1", "input": "x"', r"line 2: not JSON .Expecting"),
        ("[1, 2]", r"line 2: the record must be an object, not \[1, 2\]"),
        ('{"input": "x"}', r"line 2: the record has no 'id'; its keys are \['input'\]"),
        ('{"id": 5, "input": "x"}', r"line 2: 'id' of the record must be a string, not 5: write \"5\""),
        ('{"id": "1"}', r"line 2: the record has no 'input'"),
        ('{"id": "1", "input": "x", "meta": 3}', r"'meta' of the record must be an object, not 3"),
        (
            '{"id": "1", "input": "x", "output": "Paris"}',
            r'must be a list, not "Paris": write \[{"answer": "..."}\]',
        ),
        ('{"id": "1", "input": "x", "output": ["Paris"]}', r"output\[0\] must be an object"),
        ('{"id": "1", "input": "x", "output": [{"answer": 4}]}', r"'answer' of output\[0\] must be a string, not 4"),
        (
            '{"id": "1", "input": "x", "output": [{}, {"provenance": [{"title": "Chad"}]}]}',
            r"output\[1\]\.provenance\[0\] has no 'wikipedia_id'",
        ),
        (
            '{"id": "1", "input": "x", "output": [{"provenance": [{"wikipedia_id": "1", "start_character": true}]}]}',
            r"'start_character' of output\[0\]\.provenance\[0\] must be an integer, not true",
        ),
        (
            '{"id": "1", "input": "x", "output": [{"provenance": [{"wikipedia_id": "1", "bleu_score": "high"}]}]}',
            r"'bleu_score' .* must be a number",
        ),
        ('{"id": "0", "input": "y"}', r"line 2: id '0' is that of line 1 already"),
    ],
)
def test_a_bad_line_is_named_with_what_is_wrong(tmp_path: Path, line: str, complaint: str) -> None:
    path = write_lines(tmp_path, '{"id": "0", "input": "x"}', line)
    with pytest.raises(RecordError, match=complaint) as raised:
        list(read_examples(path))
    assert str(path) in str(raised.value)


def test_a_gzip_cut_short_is_an_error(tmp_path: Path) -> None:
    whole = gzip.compress(os.urandom(1000).hex().encode())
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[:-400])
    with pytest.raises(RecordError, match=r"cut\.jsonl\.gz is cut short or damaged after line 0"):
        list(read_examples(tmp_path / "cut.jsonl.gz"))


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a"])
def test_gzip_is_known_by_its_bytes_not_its_name(tmp_path: Path, name: str, zipped: bool) -> None:
    data = b'\xef\xbb\xbf{"id": "1", "input": "x"}\n'
    (tmp_path / name).write_bytes(gzip.compress(data) if zipped else data)
    assert list(read_examples(tmp_path / name)) == [Example("1", "x")]


@pytest.mark.parametrize("half", [r"\ud800", r"\uDFFF", r"\udc00\ud800"])
def test_half_a_surrogate_pair_is_named_with_its_line(tmp_path: Path, half: str) -> None:
    path = write_lines(tmp_path, r'{"id": "0", "input": "\ud83d\ude00 \\ud800"}', f'{{"id": "1", "input": "{half}"}}')
    with pytest.raises(RecordError, match=r"records\.jsonl, line 2: .*stands alone"):
        list(read_examples(path))
    assert next(read_examples(path)).input == "\U0001f600 \\ud800"


def test_a_number_of_any_size_comes_back(tmp_path: Path) -> None:
    path = write_lines(tmp_path, '{"id": "1", "input": "x", "meta": {"a": 1e308, "b": 1000000000000000000000}}')
    assert next(read_examples(path)).meta == {"a": 1e308, "b": 10**21}
    write_examples(read_examples(path), tmp_path / "copy.jsonl")
    assert json.loads((tmp_path / "copy.jsonl").read_text()) == json.loads(path.read_text())


def test_whole_numbers_as_scores_stay_whole(tmp_path: Path) -> None:
    place = '{"wikipedia_id": "1", "bleu_score": 1}'
    path = write_lines(tmp_path, f'{{"id": "1", "input": "x", "output": [{{"provenance": [{place}]}}]}}')
    write_examples(read_examples(path), tmp_path / "copy.jsonl")
    assert (tmp_path / "copy.jsonl").read_text() == path.read_text()


def test_bytes_that_are_not_utf8_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"id": "1", "input": "\xff"}\n')
    with pytest.raises(RecordError, match="line 1: not UTF-8"):
        list(read_examples(tmp_path / "a.jsonl"))


def test_a_failed_write_leaves_the_former_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_examples([Example("1", "x")], path)

    def failing() -> Iterator[Example]:
        yield Example("2", "y")
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_examples(failing(), path)
    assert path.read_text() == '{"id": "1", "input": "x"}\n'
    assert list(tmp_path.iterdir()) == [path]


def test_compressed_files_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        write_examples([Example("1", "x")], tmp_path / name)
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()) == b'{"id": "1", "input": "x"}\n'


def test_reading_records_does_not_load_torch() -> None:
    code = "import sys, reml.files.records; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def write_lines(folder: Path, *lines: str) -> Path:
    path = folder / "records.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_flipped_byte_in_a_gzip_is_told(tmp_path: Path) -> None:
    letters = random.Random(0)
    texts = ["".join(letters.choices("abcdefgh", k=200)) for _ in range(500)]
    write_examples([Example(str(number), text) for number, text in enumerate(texts)], tmp_path / "a.jsonl.gz")
    data = bytearray((tmp_path / "a.jsonl.gz").read_bytes())
    data[len(data) // 2] ^= 255
    (tmp_path / "a.jsonl.gz").write_bytes(data)
    with pytest.raises(RecordError, match=r"a\.jsonl\.gz.*after line \d+|a\.jsonl\.gz, line \d+: not"):
        list(read_examples(tmp_path / "a.jsonl.gz"))


def test_nesting_without_end_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("[" * 100_000 + "\n")
    with pytest.raises(RecordError, match="line 1: not JSON"):
        list(read_examples(tmp_path / "a.jsonl"))


@pytest.mark.parametrize(
    "text",
    [
        "caf\u00e9",
        "cafe\u0301",
        "zero\u200bwidth\ufeff",
        "\u05e9\u05dc\u05d5\u05dd \u202eright",
        "a\u2028b\u0085c",
        "\U0001f409",
    ],
)
def test_odd_characters_come_back_as_they_were(text: str, tmp_path: Path) -> None:
    example = Example(text, text, (Answer(text, (Provenance(text, text),)),), {text: text})
    write_examples([example], tmp_path / "a.jsonl")
    assert list(read_examples(tmp_path / "a.jsonl")) == [example]
    assert (tmp_path / "a.jsonl").read_text().count("\n") == 1


def test_a_line_of_50_megabytes_is_a_record(tmp_path: Path) -> None:
    write_examples([Example("1", "word " * 10_000_000), Example("2", "?")], tmp_path / "a.jsonl")
    assert [len(example.input) for example in read_examples(tmp_path / "a.jsonl")] == [50_000_000, 1]


def test_records_at_chosen_places_are_read_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "1", "input": "a"}\n\n{"id": "2", "input": 5}\n{"id": "3", "input": "c"}\n')
    assert [one.id for one in read_chosen(path, {0, 2})] == ["1", "3"]
    assert list(read_chosen(path, ())) == []
    with pytest.raises(RecordError, match="line 3"):
        list(read_chosen(path, {1}))

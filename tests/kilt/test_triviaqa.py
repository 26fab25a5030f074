from __future__ import annotations

import json
import random
import tarfile
from pathlib import Path

import pytest

from reml.files.atomic import CorruptError
from reml.kilt.triviaqa import MEMBERS, join_questions, read_questions
from tests.kilt.archives import add, triviaqa_archive


def test_questions_of_all_splits_are_read(tmp_path: Path) -> None:
    archive = triviaqa_archive(
        tmp_path / "a.tar.gz", train={"t1": 'Wer "?'}, dev={"d1": "Où ?"}, test={"e1": "\u200bWho?"}
    )
    assert read_questions(archive) == {"t1": 'Wer "?', "d1": "Où ?", "e1": "\u200bWho?"}


def test_questions_longer_than_what_is_read_at_once(tmp_path: Path) -> None:
    letters = random.Random(0)
    long = {f"q{number}": "".join(letters.choices('ab"\\é', k=3000)) * 100 for number in range(8)}
    assert read_questions(triviaqa_archive(tmp_path / "a.tar.gz", train=long)) == long


def test_records_keep_all_but_their_input(tmp_path: Path) -> None:
    archive = triviaqa_archive(tmp_path / "a.tar.gz", train={"t1": "Who?"}, test={"e1": "Where?"})
    output = [{"answer": "é", "provenance": [{"wikipedia_id": "7", "title": "T", "bleu_score": 0.5}]}]
    (tmp_path / "ids.jsonl").write_text(
        json.dumps({"id": "e1"}) + "\n" + json.dumps({"id": "t1", "input": "", "output": output, "meta": {}}) + "\n"
    )
    target = join_questions(tmp_path / "ids.jsonl", archive, tmp_path / "joined.jsonl")
    expected = [{"id": "e1", "input": "Where?"}, {"id": "t1", "input": "Who?", "output": output, "meta": {}}]
    assert target.read_text() == "".join(json.dumps(record) + "\n" for record in expected)


def test_ids_without_question_are_counted_and_nothing_is_written(tmp_path: Path) -> None:
    archive = triviaqa_archive(tmp_path / "a.tar.gz", train={"t1": "Who?"})
    (tmp_path / "ids.jsonl").write_text('{"id": "t1"}\n{"id": "t2"}\n{"id": "t3"}\n')
    with pytest.raises(CorruptError, match=r"2 questions of .*ids\.jsonl are not in"):
        join_questions(tmp_path / "ids.jsonl", archive, tmp_path / "joined.jsonl")
    assert not (tmp_path / "joined.jsonl").exists()


def test_two_questions_for_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorruptError, match="second question for id 't1'"):
        read_questions(triviaqa_archive(tmp_path / "a.tar.gz", train={"t1": "Who?"}, dev={"t1": "Where?"}))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"Data": [{"QuestionId": "a", "Question": "?"}', "cut short or damaged"),
        (b'{"Data": [{"QuestionId": "a"}]}', "without QuestionId and Question"),
        (b'{"data": []}', "does not begin with a list `Data`"),
    ],
)
def test_another_file_in_its_place_is_told(content: bytes, told: str, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        add(tar, MEMBERS[0], content)
    with pytest.raises(CorruptError, match=told):
        read_questions(tmp_path / "a.tar.gz")

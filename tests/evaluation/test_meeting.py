"""Ids that two files write differently."""

from __future__ import annotations

import pytest

from reml.evaluation.meeting import alike, beside, differ_in_writing, form, nearest


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("001", "1"),
        ("0", "000"),
        ("q-007", "q-7"),
        ("1.0", "1"),
        ("Lima_(Peru)", "Lima_%28Peru%29"),
        ("Lima_%28Peru%29", "Lima_%2528Peru%2529"),
        ("Lima (Peru)", "Lima_(Peru)"),
        ("New York", "new york"),
        ("New%20York", "New York"),
        ("Caf\u00e9", "Cafe\u0301"),
        ("Caf%C3%A9", "Caf\u00e9"),
        ("\ufeff1", "1"),
        ("1\0", "1"),
        ("STRASSE", "stra\u00dfe"),
    ],
)
def test_two_writings_of_an_id_have_one_form(one: str, other: str) -> None:
    assert form(one) == form(other)
    assert alike([one], ["zzz", other]) == [(one, other)]
    assert differ_in_writing([one], [other])
    assert f"{one!r} and {other!r}" in beside([one], [other])


@pytest.mark.parametrize(
    ("one", "other"), [("1", "10"), ("100", "1"), ("1.5", "15"), ("1.05", "1.5"), ("a", "b"), ("Lima", "Lima (Peru)")]
)
def test_other_ids_have_another(one: str, other: str) -> None:
    assert form(one) != form(other)


@pytest.mark.parametrize(
    ("ours", "theirs", "differ"),
    [
        (["doc-1"], ["doc1"], True),
        (["12", "13"], ["D12", "D13"], True),
        (["wiki:12"], ["12"], True),
        (["Lima"], ["57"], True),
        (["z"], ["p"], False),
        (["12"], ["13"], False),
        (["Peru", "Lima"], ["History_of_Peru"], False),
        (["#"], ["!"], False),
        (["1", "b"], ["2"], False),
        (["1"], ["2", "b"], False),
    ],
)
def test_files_that_share_nothing_may_have_missed_or_may_write_otherwise(
    ours: list[str], theirs: list[str], differ: bool
) -> None:
    assert differ_in_writing(ours, theirs) is differ
    assert differ_in_writing(theirs, ours) is differ


def test_what_is_nearest_is_shown_or_the_first_of_each() -> None:
    assert beside(["query-17", "x"], ["query-17b"]) == "the nearest are 'query-17' and 'query-17b'"
    assert beside(["a", "b", "c", "d"], ["1"]) == "there are 'a', 'b', 'c' and '1'"


def test_long_ids_are_cut() -> None:
    assert len(beside(["a" * 10_000], ["b" * 10_000])) < 300
    assert len(beside(["a" * 10_000], ["A" * 10_000])) < 300


@pytest.mark.parametrize(
    ("ours", "theirs", "pair"),
    [
        ("notes/chad.txt", "chad", "'notes/chad.txt' and 'chad'"),
        ("chad", "notes/chad.txt", "'chad' and 'notes/chad.txt'"),
        ("chad.txt", "chad.md", "'chad.txt' and 'chad.md'"),
        ("a/b/001.txt", "1", "'a/b/001.txt' and '1'"),
        ("C:/notes/Chad.TXT", "chad", "'C:/notes/Chad.TXT' and 'chad'"),
        ("https://en.wikipedia.org/wiki/N%27Djamena", "N'Djamena", "'https://en.wikipedia.org/wiki/N%27Djamena' and"),
        ("wiki/chad/", "chad", "'wiki/chad/' and 'chad'"),
        ("0012.html", "12", "'0012.html' and '12'"),
    ],
)
def test_names_of_files_are_near_to_what_they_name(ours: str, theirs: str, pair: str) -> None:
    assert pair in beside(["zzzz", ours], [theirs])


@pytest.mark.parametrize("one", ["1.5", ".5", "a.", "", "/", "...", ".txt", "v1.2.3"])
def test_what_is_no_name_of_a_file_is_paired_with_itself(one: str) -> None:
    assert nearest([one], [one]) in ([(one, one)], [])

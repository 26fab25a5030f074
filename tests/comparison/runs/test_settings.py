"""In which settings experiments differ, by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.comparison.runs.settings import setting_differences, shortened

NQ = {"class_path": "Jsonl", "init_args": {"name": "nq", "limit": 3}}
TREX = {"class_path": "Jsonl", "init_args": {"name": "trex"}}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({}, {}, {}),
        ({"seed": 1}, {"seed": 1}, {}),
        ({"seed": 1}, {"seed": 2}, {"seed": ("1", "2")}),
        ({"seed": 1}, {}, {"seed": ("1", "–")}),
        ({"seed": None}, {}, {"seed": ("null", "–")}),
        ({"sharded": True}, {"sharded": 1}, {"sharded": ("true", "1")}),
        ({"rate": 1}, {"rate": 1.0}, {"rate": ("1", "1.0")}),
        ({"name": "1"}, {"name": 1}, {"name": ("1", "1")}),
        ({"name": "a.b"}, {"name": "é"}, {"name": ("a.b", "é")}),
        ({"access": {"b": {"k": 1}}}, {"access": {"b": {"k": 2}}}, {"access.b.k": ("1", "2")}),
        ({"access": {"b": {}}}, {"access": {"b": {}, "c": {"k": 1}}}, {"access.c": ("–", '{"k": 1}')}),
        ({"access": {"b": {"k": 1}}}, {"access": None}, {"access": ('{"b": {"k": 1}}', "null")}),
        ({"fuse": ["a", "b"]}, {"fuse": ["b", "a"]}, {"fuse": ('["a", "b"]', '["b", "a"]')}),
        ({"tasks": [NQ, TREX]}, {"tasks": [TREX, NQ]}, {}),
        ({"tasks": [NQ, TREX]}, {"tasks": [TREX]}, {"tasks.nq": ("whole", "–")}),
        (
            {"tasks": [NQ]},
            {"tasks": [{**NQ, "init_args": {"name": "nq", "limit": 5}}]},
            {"tasks.nq.init_args.limit": ("3", "5")},
        ),
        ({"tasks": [NQ, NQ]}, {"tasks": [NQ]}, {"tasks": ("whole", "whole")}),
        ({"a": {"x": {"y": 1}}, "b": 1}, {"b": 1, "a": {"x": {"y": 1}}}, {}),
    ],
)
def test_what_differs_is_named_by_its_path(first: Any, second: Any, expected: dict[str, tuple[str, str]]) -> None:
    found = {one.setting: (one.shown(0), one.shown(1)) for one in setting_differences([first, second])}
    assert found.keys() == expected.keys()
    for setting, both in expected.items():
        assert all(wanted in ("whole", shown) for wanted, shown in zip(both, found[setting], strict=True))


def test_of_three_each_value_has_its_place() -> None:
    (only,) = setting_differences([{"a": 1}, {}, {"a": 2}])
    assert (only.setting, dict(only.values)) == ("a", {0: 1, 2: 2})
    assert [only.shown(place) for place in range(3)] == ["1", "–", "2"]


LONG = '[{"class_path": "reml.tasks.jsonl.'


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        (["3", "5"], ["3", "5"]),
        (["–", "a" * 24], ["–", "a" * 24]),
        (["–", LONG + "Jsonl"], ["–", '[{"class_path": "reml.t…']),
        (["b" * 30, "c" * 30], ["b" * 23 + "…", "c" * 23 + "…"]),
        ([LONG + "Jsonl", LONG + "Other"], ["…s.jsonl.Jsonl", "…s.jsonl.Other"]),
        ([LONG + "Jsonl" * 9, LONG + "Other" * 9], ["…s.jsonl.JsonlJsonlJson…", "…s.jsonl.OtherOtherOthe…"]),
        ([LONG, LONG + "Other"], ["…s.jsonl.", "…s.jsonl.Other"]),
        (["a" * 24, "a" * 25], ["…" + "a" * 8, "…" + "a" * 9]),
        ([LONG + "Jsonl", "–", LONG + "Other"], ["…s.jsonl.Jsonl", "–", "…s.jsonl.Other"]),
        (["\u00e9" * 22 + "abc", "\u00e9" * 22 + "d"], ["\u00e9" * 22 + "a…", "\u00e9" * 22 + "d"]),
        ([LONG, LONG, "other"], ['[{"class_path": "reml.t…', '[{"class_path": "reml.t…', "other"]),
    ],
)
def test_long_values_are_cut_around_where_they_differ(texts: list[str], shown: list[str]) -> None:
    assert shortened(texts, 24) == shown


@given(st.text("ab", max_size=60), st.text("ab", max_size=30), st.text("ab", max_size=30), st.integers(12, 48))
def test_what_differs_is_never_cut_to_the_same(start: str, first: str, second: str, most: int) -> None:
    shown = shortened([start + first, start + second], most)
    assert (shown[0] == shown[1]) == (first == second)
    assert max(map(len, shown)) <= most

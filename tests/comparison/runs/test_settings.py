"""In which settings experiments differ, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from reml.comparison.runs.settings import setting_differences

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

"""YAML is read as it was meant, and what would be lost or misread is refused with its place."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reml.contract.examples import Json
from reml.files.yaml_files.reading import YamlError, parse_value, parse_yaml, read_yaml
from reml.files.yaml_files.scalars import meant


@pytest.mark.parametrize(
    "word",
    ["on", "off", "yes", "no", "null", "~", "true", "1", "007", "1.0", "1e3", "0x1F", "1:30", "2024-01-01", "1_0", "é"],
)
def test_keys_are_as_they_are_written(word: str) -> None:
    assert parse_yaml(f"access:\n  {word}: {{}}\n") == {"access": {word: {}}}


@pytest.mark.parametrize(
    ("word", "among", "alone"),
    [
        ("007", "007", 7),
        ("012", "012", 12),
        ("1e-3", "1e-3", 0.001),
        ("1.0e-4", "1.0e-4", 0.0001),
        ("1.10", "1.10", 1.1),
        ("off", "off", False),
        ("Yes", "Yes", True),
        ("1_000", "1_000", 1000),
        ("0x1F", "0x1F", 31),
        ("0o17", "0o17", 15),
        ("+5", "+5", 5),
        (".5", ".5", 0.5),
        ("2024-01-01", "2024-01-01", "2024-01-01"),
        ("=", "=", "="),
        ("12", 12, 12),
        ("-3", -3, -3),
        ("0.5", 0.5, 0.5),
        ("True", True, True),
        ("null", None, None),
        ("9" * 5000, "9" * 5000, "9" * 5000),
    ],
)
def test_a_word_is_a_number_only_if_it_is_written_as_one(word: str, among: Json, alone: Json) -> None:
    assert parse_yaml(f"name: {word}") == {"name": among}, "a text stays one until a setting wants a number"
    assert parse_value(word) == alone, "which it then is"


def test_quotes_make_texts() -> None:
    assert parse_yaml("""a: "1"\nb: 'on'\nc: !!str 7\ne: '1:30'\nd: |\n  12\n""") == {
        "a": "1",
        "b": "on",
        "c": "7",
        "e": "1:30",
        "d": "12\n",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3 gives 'a' a second time, after line 1"),
        ("access:\n  a: {k: 1}\n  b: {}\n  a: {k: 2}\n", "line 4 gives 'a' a second time, after line 2"),
        ("tasks:\n- name: x\n  limit: 1\n  name: y\n", "line 4 gives 'name' a second time, after line 2"),
        ("a: {b: {c: [{d: 1, d: 2}]}}\n", "line 1 gives 'd' a second time, after the same line"),
        ("base: &base\n  k: 1\n  k: 2\nuse: *base\n", "line 3 gives 'k' a second time, after line 2"),
        ("base: &base {k: 1}\nuse:\n  <<: *base\n  <<: {k: 2}\n", "line 4 gives '<<' a second time, after line 3"),
        ("1: a\n'1': b\n", "line 2 gives '1' a second time, after line 1"),
        ('on: a\n"on": b\n', "line 2 gives 'on' a second time, after line 1"),
        ("a: 1\n? a\n: 2\n", "line 2 gives 'a' a second time, after line 1"),
        ("seed: 3\nname: x\n\n# later\nseed: 4\n", "line 5 gives 'seed' a second time, after line 1"),
        ("a: 1\n---\nb: 2\n", "line 2 begins a second document"),
        ("a: *b\n", "line 1, column 4 refers to `&b`, which does not stand before it"),
        ("a: &a [*a]\n", "refers to `&a`, which does not stand before it"),
        ("? [a, b]\n: 1\n", "has a key that is no text"),
        ("<<: 3\n", r"merges (`<<`) what is no mapping"),
        ("a: !!python/object/apply:os.system [ls]\n", "has the tag 'tag:yaml.org,2002:python/object/apply:os.system'"),
        ("a: !mine {b: 1}\n", "has the tag '!mine'"),
        ("a:\n\tb: 1\n", "a tab indents nothing in YAML: use spaces"),
        ("a:\n- b: 1:30\n", "line 2, column 6 has 1:30, which some readers of YAML take for a number of another base"),
        ("a: +012\n", "line 1, column 4 has +012, which some readers"),
        ("a: [", "line 1, column 5 is not YAML"),
        ("a: " + "[" * 5000, "is n"),
        ("a: " + "[" * 300 + "]" * 300, "is nested more than 100 deep"),
        ("a: \x00\nb: 1", "line 1: a NUL byte, which no text has"),
    ],
)
def test_what_would_be_lost_is_refused_with_its_place(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(text)
    with pytest.raises(YamlError) as caught:
        read_yaml(tmp_path / "one.yaml")
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "one.yaml"))


def test_merged_keys_are_below_own_ones() -> None:
    text = "one: &one {k: 1, b: 1}\ntwo: &two {k: 2, c: 2}\nuse: {<<: [*one, *two], c: 3}\nlast: {'<<': 4}\n"
    read = parse_yaml(text)
    assert isinstance(read, dict)
    assert read["use"] == {"k": 1, "b": 1, "c": 3}
    assert read["last"] == {"<<": 4}, "a key in quotes is a key"


def test_what_aliases_stand_for_is_not_shared() -> None:
    read = parse_yaml("one: &one {k: [1]}\ntwo: *one\n")
    assert isinstance(read, dict)
    assert read["one"] == read["two"]
    assert read["one"] is not read["two"], "who reads settings may change them"


@pytest.mark.parametrize("kind", ["lists", "mappings", "merges"])
def test_exploding_aliases_end_in_a_sentence_soon(kind: str) -> None:
    first = {"lists": "a0: &a0 [1, 1]", "mappings": "a0: &a0 {x: 1}", "merges": "a0: &a0 {x0: 1}"}[kind]
    lines = [first]
    for n in range(1, 12):
        of = ", ".join([f"*a{n - 1}"] * 9)
        each = ", ".join(f"k{i}: *a{n - 1}" for i in range(9))
        lines.append(f"a{n}: &a{n} " + (f"[{of}]" if kind == "lists" else f"{{{each}}}"))
    start = time.perf_counter()
    with pytest.raises(YamlError, match="stand for more than 100,000 values"):
        parse_yaml("\n".join(lines))
    assert time.perf_counter() - start < 20


def test_many_values_without_aliases_are_many_values() -> None:
    assert parse_yaml(f"[{', '.join(['1'] * 100_001)}]") == [1] * 100_001


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"\xef\xbb\xbfname: a\n", {"name": "a"}),
        (b"name: a\r\nseed: 1\r\n", {"name": "a", "seed": 1}),
        (b"", None),
        (b"# nothing\n", None),
        (b"---\nname: a\n...\n", {"name": "a"}),
        (b"%YAML 1.2\n---\nname: a\n", {"name": "a"}),
    ],
)
def test_files_of_many_machines_are_read(raw: bytes, told: Json, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_bytes(raw)
    assert read_yaml(tmp_path / "one.yaml") == told
    assert read_yaml(str(tmp_path / "one.yaml")) == told


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1", "utf-32"])
def test_other_encodings_are_said(encoding: str, tmp_path: Path) -> None:
    mark = b"\xff\xfe" if encoding == "utf-16-le" else b""
    (tmp_path / "one.yaml").write_bytes(mark + "name: café".encode(encoding))
    with pytest.raises(YamlError, match=r"one\.yaml(, line 1: not UTF-8| is UTF-(16|32), as its first bytes say)"):
        read_yaml(tmp_path / "one.yaml")


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_what_was_written_by_a_program_is_read_back(value: Json) -> None:
    written = yaml.safe_dump({"all": value}, allow_unicode=True, sort_keys=False)
    assert _numbers(parse_yaml(written)) == _numbers({"all": value}), "floats may stay texts until a setting wants one"


def _numbers(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _numbers(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_numbers(one) for one in value]
    again = meant(value) if isinstance(value, str) else value
    return again if isinstance(again, float) else value


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(YamlError, match="line 1, column 7"):
        parse_yaml('a: "\\ud800"')

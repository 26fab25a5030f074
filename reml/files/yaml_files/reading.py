"""A text or file of YAML: one document, in UTF-8, keys as they are written and each once, small enough.

Keys are texts, as they are written: an access model may be called `on`, `1`, `1.0`, `null` or `2024-01-01`. A key that
is given twice in one mapping is refused with both lines, wherever the mapping stands; merge keys (`<<`) and aliases are
followed, up to `MOST_ALIASED` values in all, and what explodes beyond is refused before it does.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from reml.contract.examples import Json
from reml.files.lines import LineError, file_text
from reml.files.yaml_files.scalars import AMBIGUITY, AMBIGUOUS, meant, written

MOST_ALIASED = 100_000
DEEPEST = 100
MERGE = "<<"
CORE = "tag:yaml.org,2002:"


class YamlError(yaml.YAMLError, ValueError):
    """A text is no YAML, or none that can be meant; the message says where. line, column: from 1, if they are known."""

    def __init__(self, problem: str, line: int | None = None, column: int | None = None) -> None:
        self.problem = problem
        self.where = "" if line is None else f"line {line}" if column is None else f"line {line}, column {column}"
        super().__init__(f"{self.where} {problem}".strip())


def read_yaml(path: str | Path) -> Json:
    """Read a file of one YAML document; `YamlError` names the file and the line. A byte order mark is no part of it."""
    try:
        return parse_yaml(file_text(Path(path)))
    except LineError as error:
        raise YamlError(str(error)) from error
    except YamlError as error:
        place = f"{path}, {error.where}" if error.where else str(path)
        raise YamlError(f"{place} {error.problem}") from error


def parse_yaml(text: str) -> Json:
    """Read one YAML document, mappings as `dict` with texts as keys; nothing, of a text without one. `YamlError`."""
    events = _events(text.removeprefix("\ufeff"))
    documents = [event for event in events if isinstance(event, yaml.DocumentStartEvent)]
    if len(documents) > 1:
        line = _line(documents[1])
        raise YamlError("begins a second document (`---`): a file holds one, give the others files of their own.", line)
    return _Document(iter(events)).read() if documents else None


def parse_value(text: str) -> Json:
    """Read a value as `parse_yaml` does; a plain word that is all of it becomes what it is where no text is wanted."""
    value = parse_yaml(text)
    return meant(text.strip()) if isinstance(value, str) and value == text.strip() else value


def _events(text: str) -> list[yaml.Event]:
    """Parse a text as far as YAML's own rules go.

    The parser in Python knows best where a text goes wrong; with many brackets it would take minutes.
    """
    fast = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        try:
            return list(yaml.parse(text, Loader=fast))
        except yaml.MarkedYAMLError:
            list(yaml.parse(text, Loader=yaml.SafeLoader if text.count("[") + text.count("{") < 100 else fast))
            raise  # the one in Python reads more: half a surrogate pair, say
    except yaml.MarkedYAMLError as error:
        mark, tab = error.problem_mark, any(sign in (error.problem or "") for sign in ("\\t", "tab character"))
        use = "; a tab indents nothing in YAML: use spaces" if tab else ""
        place = () if mark is None else (mark.line + 1, mark.column + 1)
        raise YamlError(f"is not YAML: {error.problem}{use}.", *place) from error
    except yaml.reader.ReaderError as error:
        letter = chr(error.character)
        line = text.count("\n", 0, max(text.find(letter), 0)) + 1
        raise YamlError(f"is not YAML in UTF-8: line {line} has the character {letter!r}.") from error


@dataclass(eq=False)
class _Document:
    """A document that is read from its events. anchors: with the number of values that each stands for."""

    events: Iterator[yaml.Event]
    anchors: dict[str, tuple[Json, int]] = field(default_factory=dict)
    count: int = 0
    aliased: int = 0

    def read(self) -> Json:
        event = next(self.events)
        while isinstance(event, yaml.StreamStartEvent | yaml.DocumentStartEvent):
            event = next(self.events)
        return self._value(event, 0)

    def _value(self, event: yaml.Event, depth: int) -> Json:
        if depth > DEEPEST:
            raise _wrong(event, f"is nested more than {DEEPEST} deep: settings are not.")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before = self.count
        self.count += 1
        value = self._made(event, depth)
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            self.anchors[event.anchor] = (value, self.count - before)
        return value

    def _made(self, event: yaml.Event, depth: int) -> Json:
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        kind = "seq" if isinstance(event, yaml.SequenceStartEvent) else "map"
        _check_tag(event, {None, "!", f"{CORE}{kind}"})
        if kind == "map":
            return self._mapping(depth)
        return [self._value(one, depth + 1) for one in self._until(yaml.SequenceEndEvent)]

    def _mapping(self, depth: int) -> dict[str, Json]:
        own: dict[str, Json] = {}
        below: list[Mapping[str, Json]] = []
        lines: dict[str, int] = {}
        for event in self._until(yaml.MappingEndEvent):
            key, line = _key(event), _line(event)
            if key in lines:
                first = f"line {lines[key]}" if lines[key] != line else "the same line"
                raise YamlError(f"gives {key!r} a second time, after {first}: one would be lost. Keep one.", line)
            lines[key] = line
            value = self._value(next(self.events), depth + 1)
            if key == MERGE and isinstance(event, yaml.ScalarEvent) and event.implicit[0]:
                below = _merged(event, value)
            else:
                own[key] = value
        return {**{key: value for one in reversed(below) for key, value in one.items()}, **own}

    def _alias(self, event: yaml.AliasEvent) -> Json:
        if event.anchor not in self.anchors:
            raise _wrong(event, f"refers to `&{event.anchor}`, which does not stand before it.")
        value, size = self.anchors[event.anchor]
        self.count += size
        self.aliased += size
        if self.aliased > MOST_ALIASED:
            raise _wrong(event, f"makes aliases (`*`) stand for more than {MOST_ALIASED:,} values: settings are fewer.")
        return copy.deepcopy(value)  # each has its own: who reads settings may change them

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        while not isinstance(event := next(self.events), end):
            yield event


def _scalar(event: yaml.ScalarEvent) -> Json:
    typed = {f"{CORE}{name}" for name in ("int", "float", "bool", "null")}
    _check_tag(event, {None, "!", f"{CORE}str", *typed})
    if event.tag in typed:
        return meant(event.value)
    if not event.implicit[0] or event.tag is not None:
        return str(event.value)
    if AMBIGUOUS.fullmatch(event.value):
        raise _wrong(event, f"has {event.value}, {AMBIGUITY}")
    return written(event.value)


def _key(event: yaml.Event) -> str:
    if not isinstance(event, yaml.ScalarEvent):
        raise _wrong(event, "has a key that is no text: keys are names of settings, or names you give.")
    return str(event.value)


def _merged(event: yaml.Event, value: Json) -> list[Mapping[str, Json]]:
    parts = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, Mapping)]
    if len(parts) != (len(value) if isinstance(value, list) else 1):
        raise _wrong(event, "merges (`<<`) what is no mapping: name mappings, as `<<: *base` or `<<: [*one, *other]`.")
    return parts


def _check_tag(event: yaml.Event, allowed: Collection[str | None]) -> None:
    tag = getattr(event, "tag", None)
    if tag not in allowed:
        raise _wrong(event, f"has the tag {tag!r}, and settings need none: classes are named by `class_path`.")


def _wrong(event: yaml.Event, problem: str) -> YamlError:
    mark: Any = event.start_mark
    return YamlError(problem, _line(event), mark.column + 1)


def _line(event: yaml.Event) -> int:
    mark: Any = event.start_mark
    return int(mark.line) + 1

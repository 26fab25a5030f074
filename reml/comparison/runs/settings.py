"""In which settings several experiments differ."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reml.contract.examples import Json

LEFT_OUT = "–"


@dataclass(frozen=True, slots=True)
class SettingDifference:
    """A setting by its path, such as `access.bm25.k` or `tasks.nq.init_args.limit`, and its value in each experiment.

    values: by the place of the experiment; one that leaves the setting out, so that it has its default, has none.
    """

    setting: str
    values: Mapping[int, Json]

    def shown(self, place: int) -> str:
        """Write the value of an experiment in one line; a dash where it is left out."""
        if place not in self.values:
            return LEFT_OUT
        value = self.values[place]
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def shortened(texts: Sequence[str], most: int) -> list[str]:
    """Cut texts that are too long for a line, or begin alike for longer, around where they begin to differ."""
    if all(len(text) <= most for text in texts):
        return list(texts)
    letters = zip(*(text for text in texts if text != LEFT_OUT), strict=False)
    alike = sum(1 for _ in itertools.takewhile(lambda some: len(set(some)) == 1, letters))
    start = alike - most // 3 if most - 2 < alike < max(map(len, texts)) else 0
    shown = [text if text == LEFT_OUT or not start else f"…{text[start:]}" for text in texts]
    return [text if len(text) <= most else f"{text[: most - 1]}…" for text in shown]


def setting_differences(settings: Sequence[Mapping[str, Json]]) -> list[SettingDifference]:
    """List the settings that are not the same in all; of a part that only some have, the part as a whole.

    Parts of a list that have names, as tasks do, are the same setting wherever they stand in it.
    """
    return list(_different("", {place: dict(written) for place, written in enumerate(settings)}, len(settings)))


def _different(path: str, values: Mapping[int, Json], count: int) -> Iterator[SettingDifference]:
    if len(values) == count and len({json.dumps(value, sort_keys=True) for value in values.values()}) == 1:
        return
    parts = {place: _parts(value) for place, value in values.items()}
    inner = {place: part for place, part in parts.items() if part is not None}
    if len(inner) < count:
        yield SettingDifference(path, values)
        return
    for name in dict.fromkeys(itertools.chain.from_iterable(inner.values())):
        below = {place: part[name] for place, part in inner.items() if name in part}
        yield from _different(f"{path}.{name}".lstrip("."), below, count)


def _parts(value: Json) -> Mapping[str, Json] | None:
    """Give what a value is made of by name: nothing, of one that is a whole."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, list):
        return None
    names = [_name(one) for one in value]
    named = {name: one for name, one in zip(names, value, strict=True) if name is not None}
    return named if named and len(named) == len(value) else None


def _name(value: Json) -> str | None:
    """Give the name of a part of a list, that of a task say."""
    arguments = value.get("init_args") if isinstance(value, dict) else None
    name = arguments.get("name") if isinstance(arguments, dict) else None
    return name if isinstance(name, str) else None

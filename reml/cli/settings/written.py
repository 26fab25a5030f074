"""Settings as they were written, in YAML files and on the command line, to say of which of them the parser refuses.

It reads values as jsonargparse does, but keeps what does not fit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import zip_longest
from pathlib import Path
from typing import Any

from reml.contract.examples import Json
from reml.files.yaml_files.places import line_of
from reml.files.yaml_files.reading import YamlError, parse_yaml, read_yaml

EXAMPLE = "benchmarks/configs/factbook.yaml is one"


class SettingsError(ValueError):
    """Settings are not what is asked for; the message says where and what there is."""


def read_settings(path: Path) -> dict[str, Json]:
    """Read a YAML file of settings; `SettingsError` names the file, and the line where it is malformed."""
    if not path.is_file():
        wrong = "is a folder" if path.is_dir() else "does not exist"
        raise SettingsError(f"{path} {wrong}: name the YAML file of an experiment ({EXAMPLE}).")
    try:
        written = read_yaml(path)
    except YamlError as error:
        raise SettingsError(str(error)) from error
    if not isinstance(written, dict):
        holds = "is empty" if written is None else f"holds a {type(written).__name__}"
        raise SettingsError(f"{path} {holds}: an experiment names its tasks, access and predictor ({EXAMPLE}).")
    return written


@dataclass(frozen=True)
class Source:
    """What a YAML file or an option says. place: the path of the file, or the option as it was typed."""

    place: Path | str
    says: Json

    def depth(self, names: Sequence[str | int]) -> int:
        """Tell how many of these names, from the outermost, lead to something here."""
        inner = self.says
        for number, name in enumerate(names):
            if name not in parts_of(inner):
                return number
            inner = parts_of(inner)[name]
        return len(names)

    def where(self, names: Sequence[str | int]) -> str:
        """Say where a setting stands here: an option by its name, a file with the line."""
        if isinstance(self.place, str):
            return self.place
        line = line_of(self.place, names)
        return str(self.place) if line is None else f"{self.place}, line {line}"


def parts_of(value: Any) -> Mapping[str | int, Any]:
    """Give what a mapping or list holds, by key or number; nothing of anything else."""
    return value if isinstance(value, dict) else dict(enumerate(value if isinstance(value, list | tuple) else ()))


def within(value: Any, *names: str | int) -> Any:
    """Give what stands under some names, from the outermost; nothing if there is nothing."""
    return reduce(lambda inner, name: parts_of(inner).get(name), names, value)


def sources(arguments: Sequence[str], own: Collection[str]) -> list[Source]:
    """List what files and arguments say, in their order.

    own: the names of arguments that are not looked at, those that take no value among them.
    """
    return list(_sources(arguments, own))


def where(given: Sequence[Source], names: Sequence[str | int]) -> str:
    """Say where a setting was given: in the last source that has it, or else has the most of what holds it."""
    depths = [source.depth(names) for source in given]
    if not any(depths):
        files = [source for source in given if isinstance(source.place, Path)]
        return str(files[-1].place) if files and not names else ""
    last = max(number for number, depth in enumerate(depths) if depth == max(depths))
    return given[last].where(names[: depths[last]])


def merged(given: Sequence[Source]) -> Json:
    """Merge what sources say, the later over the earlier."""
    nothing: Json = {}
    return reduce(_over, (source.says for source in given), nothing)


def written_settings(arguments: Sequence[str], own: Collection[str]) -> dict[str, Json]:
    """Merge what files and arguments say of an experiment, the later over the earlier; `SettingsError` if nothing.

    own: the names of arguments that are the command's own.
    """
    written = merged(sources(arguments, own))
    names_file = any(name == "--config" for name, _ in options(arguments))
    if not isinstance(written, dict) or not (names_file or "tasks" in written):
        stray = next((f" {argument}" for argument in arguments if argument.endswith((".yaml", ".yml"))), "")
        raise SettingsError(f"no experiment is named: give its YAML file with --config{stray} ({EXAMPLE}).")
    return written


def options(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Go through the options that have a value: `--` and the name, and the value as it was typed.

    One that nothing follows has none; who forgot it is told so by the parser.
    """
    for argument, following in zip_longest(arguments, arguments[1:]):
        name, joined, value = argument.partition("=")
        if name.startswith("--") and joined:
            yield name, value
        elif name.startswith("--") and following is not None and not following.startswith("--"):
            yield name, following


def _sources(arguments: Sequence[str], own: Collection[str]) -> Iterator[Source]:
    for option, value in options(arguments):
        name = option.removeprefix("--")
        if name in own:
            continue
        if name == "config":
            yield Source(Path(value), read_settings(Path(value)))
        else:
            names, one = name.removesuffix("+").split("."), _scalar(value)
            one = [one] if name.endswith("+") and not isinstance(one, list) else one
            yield Source(option, reduce(lambda part, key: {key: part}, reversed(names), one))


def _scalar(text: str) -> Json:
    try:
        return parse_yaml(text)
    except YamlError:
        return text


def _over(below: Json, above: Json) -> Json:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {**below, **{key: _over(below.get(key), value) for key, value in above.items()}}

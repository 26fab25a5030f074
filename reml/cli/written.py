"""Settings as they were written, in YAML files and on the command line, to say of which of them the parser refuses.

It reads values as jsonargparse does, but keeps what does not fit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import reduce
from itertools import zip_longest
from pathlib import Path

from reml.contract.examples import Json
from reml.files.yaml_files.reading import YamlError, parse_value, read_yaml

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


def written_settings(arguments: Sequence[str], own: Collection[str]) -> dict[str, Json]:
    """Merge what files and arguments say of an experiment, the later over the earlier; `SettingsError` if nothing.

    own: the names of arguments that are the command's own.
    """
    nothing: Json = {}
    written = reduce(_over, _parts(arguments, own), nothing)
    names_file = any(argument.partition("=")[0] == "--config" for argument in arguments)
    if not isinstance(written, dict) or not (names_file or "tasks" in written):
        stray = next((f" {argument}" for argument in arguments if argument.endswith((".yaml", ".yml"))), "")
        raise SettingsError(f"no experiment is named: give its YAML file with --config{stray} ({EXAMPLE}).")
    return written


def _parts(arguments: Sequence[str], own: Collection[str]) -> Iterator[Json]:
    for argument, following in zip_longest(arguments, arguments[1:], fillvalue=""):
        name, joined, value = argument.removeprefix("--").partition("=")
        if not argument.startswith("--") or name in own:
            continue
        value = value if joined else following
        if name == "config":
            yield read_settings(Path(value))
        else:
            names, one = name.removesuffix("+").split("."), _scalar(value)
            one = [one] if name.endswith("+") and not isinstance(one, list) else one
            yield reduce(lambda part, key: {key: part}, reversed(names), one)


def _scalar(text: str) -> Json:
    try:
        return parse_value(text)
    except YamlError:
        return text


def _over(below: Json, above: Json) -> Json:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {**below, **{key: _over(below.get(key), value) for key, value in above.items()}}

"""The parser of each command, made by jsonargparse from its signature.

What a command on an experiment needs (PyTorch, Transformers) is imported where it is used: commands on files start at
once.

jsonargparse's own sub-commands were tried (4.53): interpolation is lost, since `${seed}` in a sub-command's YAML is
sought at the top, where there is `train.seed`. They want every parser made beforehand (7.5 s of CPU for any command,
against 0.5 s for `reml --help` and 0.6 s for `reml measure --help` now); made late, by a subclass longer than
`commands.split`, `reml prepare kilt` still needs that of `prepare` (3.9 s, now 0.4 s), and errors name no nearest one.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import io
import re
import sys
import typing
from argparse import RawDescriptionHelpFormatter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import timedelta
from itertools import zip_longest
from os import PathLike
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import yaml
from jsonargparse import ArgumentParser, DefaultHelpFormatter, set_loader, set_parsing_settings
from jsonargparse.typing import get_registered_type
from omegaconf import OmegaConf
from omegaconf.resolvers import oc

from reml.cli.class_listing import listing
from reml.cli.commands import COMMANDS
from reml.cli.settings.class_paths import explain
from reml.cli.settings.trusted import refuse_distrusted
from reml.contract.examples import Json
from reml.devices.progress import WAYS
from reml.files.environment import take
from reml.files.yaml_files.reading import parse_value

GIVEN, PROGRESS = "given", "progress"
BY_STR = (
    Path,
    PathLike,
    UUID,
    timedelta,
    complex,
)  # what jsonargparse writes, or reads, by `str`, which takes anything
PROGRAM = """The YAML file is a program: it names code that is run. Run one only if you trust who wrote it, or by
`--trusted_packages reml,mine` the classes of these packages alone (reml.cli.settings.trusted)."""
CHOICE = """What a configuration can name as a class_path: these, and any class of yours. `--predictor.help CLASS_PATH`,
`--tasks.help CLASS_PATH` and `--access.retriever.help CLASS_PATH` show the settings of one. Files of examples and pages
are in KILT's form, one JSON object a line; docs/kilt.md shows a record and a page."""
# What of the listing the help of a setting shows where no class is named.
LISTED = {
    "tasks": "tasks",
    "metric": "metrics of tasks",
    "retriever": "retrievers",
    "predictor": "predictors",
    "predictors": "predictors",
    "objective": "objectives of feedback",
}


def _loaded(text: str) -> Json:
    """Read a file of settings, or the value of one; such as `Question:` or `{question}` are texts, no mappings."""
    value = parse_value(text)
    if isinstance(value, dict) and value and not any(one is not None for one in value.values()):
        bare = text.strip()
        alike = set(bare.strip(" {}").replace(" ", "").split(",")) == set(value)
        return text if alike or [bare] == [f"{key}:" for key in value] else value
    return value


def _text_of(kind: type, value: object) -> str:
    """Write what is of a kind that is written as a text; `TypeError` for what is not, such as the settings of a class.

    jsonargparse asks the types of a union one after the other how a value is written, and takes the first that can say.
    """
    if not isinstance(value, kind | str):
        raise TypeError(f"{type(value).__name__} is no {kind.__name__}")
    return str(value)


def _of_environment(name: str, *default: str | None) -> str | None:
    """Resolve `${oc.env:NAME,default}`, and keep in mind that the value is not to be written."""
    return take(name) or oc.env(name, *default)


OmegaConf.register_resolver("oc.env", _of_environment, replace=True)
# What is denied by default (os, subprocess, pickle) is denied, and no object is made of what takes anything.
set_parsing_settings(import_path_denylist=[], instantiate_subclass_spec_in_any=False)
for _mode in ("yaml", "omegaconf+"):
    set_loader(_mode, _loaded, (yaml.YAMLError,))
for _kind in BY_STR:
    if (_known := get_registered_type(_kind)) is not None:
        _known.serializer = functools.partial(_text_of, _kind)
        _known.base_deserializer = _known.serializer if _known.base_deserializer is str else _known.base_deserializer


class Help(DefaultHelpFormatter, RawDescriptionHelpFormatter):
    """Leaves the lines of the description and of what is listed below as they are."""


def named(command: str) -> Callable[..., None]:
    """Import the function or class of a command."""
    module, _, name = COMMANDS[command].rpartition(".")
    return cast("Callable[..., None]", vars(importlib.import_module(module))[name])


def on_experiment(command: str) -> bool:
    """Tell whether a command works on an experiment."""
    return GIVEN in inspect.signature(named(command)).parameters


@functools.cache
def parser_of(command: str) -> ArgumentParser:
    """Make the parser of a command: its own arguments, then, if it works on one, the settings of an experiment."""
    part = named(command)
    if on_experiment(command):
        return _of_experiment(command, part)
    parser = ArgumentParser(prog=f"reml {command}", description=_purpose(part), exit_on_error=False)
    if isinstance(part, type):
        parser.add_class_arguments(part, None)
    else:
        alone = many(command)
        # Beside what stands alone a flag cannot take a value: `--json RUN` is a flag and a run.
        switch = {"action": "store_true"} if alone else {"type": bool, "nargs": "?", "const": True, "default": False}
        _add_arguments(parser, part, switch, alone)
    _add_progress(parser)
    return parser


def flags(command: str) -> frozenset[str]:
    """Name the options of a command that take no value."""
    alone = on_experiment(command) or bool(many(command))
    return frozenset(_switches(named(command)) if alone else ())


def many(command: str) -> str:
    """Name the parameter of a command that takes what stands alone on the command line, however much; "" for none."""
    several = inspect.Parameter.VAR_POSITIONAL
    found = inspect.signature(named(command)).parameters.values()
    return next((one.name for one in found if one.kind is several), "")


@functools.cache
def settings_parser() -> ArgumentParser:
    """Make the parser of the settings of an experiment alone."""
    from reml.experiment.settings.experiment import Experiment

    parser = ArgumentParser(parser_mode="omegaconf+", exit_on_error=False)
    parser.add_class_arguments(Experiment, None)
    return parser


def parameters(command: str) -> list[str]:
    """Name the command's own arguments."""
    return [name for name in inspect.signature(named(command)).parameters if name != GIVEN]


def parts(command: str) -> dict[str, type]:
    """Give what a command's YAML file has beside the settings of an experiment: names, and the class of each."""
    hints = typing.get_type_hints(named(command))
    return {name: hints[name] for name in parameters(command) if is_dataclass(hints[name])}


def _of_experiment(command: str, part: Callable[..., None]) -> ArgumentParser:
    from reml.experiment.settings.experiment import Experiment

    parser = ArgumentParser(
        prog=f"reml {command}",
        usage=f"reml {command} --config FILE.yaml [options]",
        description=f"{_purpose(part)}\n\n{PROGRAM}",
        formatter_class=Help,
        parser_mode="omegaconf+",
        exit_on_error=False,
        allow_abbrev=False,  # `--pla` would be a look that nobody took for one
    )
    parser.add_argument("--config", action="config", help="the YAML file of the experiment")
    parser.add_argument("--home", type=Path, default=None, help="where all is kept; REML_HOME if left out")
    _add_progress(parser)
    _add_arguments(parser, part, {"action": "store_true"})
    parser.add_class_arguments(Experiment, None)
    return parser


def _add_progress(parser: ArgumentParser) -> None:
    parser.add_argument(f"--{PROGRESS}", choices=WAYS, metavar="HOW", help=f"{', '.join(WAYS)}")


def help_of(command: str) -> str:
    """Write the help of a command, its own options under a title of their own."""
    parser = parser_of(command)
    if on_experiment(command):
        parser.epilog = f"{CHOICE}\n\n{listing()}"  # of the sources of all classes: half a second that others save
    text = _plain(parser.format_help())
    return text.replace(f"\n{_purpose(named(command)).rstrip('.')}:\n", "\nof this command:\n")


def help_of_setting(command: str, arguments: Sequence[str]) -> str | None:
    """Write the help that `--tasks.help CLASS_PATH` asks for, and which classes there are where it names none.

    Nothing if no such help is asked for; `ValueError` if there is no such class.
    """
    for option, following in zip_longest(arguments, arguments[1:], fillvalue=""):
        name, joined, path = option.removeprefix("--").partition("=")
        if not option.startswith("--") or not name.endswith(".help"):
            continue
        path = path if joined else "" if following.startswith("-") else following
        kind = LISTED.get(name.split(".")[-2])
        if path:
            return _of_named(path, f"reml {command} --{name}")
        if kind is not None:
            return f"usage: reml {command} --{name} CLASS_PATH\n\nOne of these, or a class of yours:\n{listing(kind)}\n"
        return _shown(parser_of(command), [option], f"reml {command}")
    return None


def _of_named(path: str, command: str) -> str:
    """Write the settings of a class; `ValueError` says what of its path is not there."""
    refuse_distrusted(path)
    module, _, name = path.rpartition(".")
    try:
        kind = vars(importlib.import_module(module)).get(name)
    except (ImportError, ValueError):
        kind = None
    if not isinstance(kind, type):
        raise ValueError(explain(path) or f"{path} is no class.")
    parser = ArgumentParser(prog=command, usage=f"class_path: {path}, and these under init_args", add_help=False)
    parser.add_class_arguments(kind, None)
    return _plain(parser.format_help()).replace("usage: ", "", 1)


def _plain(text: str) -> str:
    return re.sub(r"<class\s+'(\w+)'>", r"\1", text)


def _shown(parser: ArgumentParser, arguments: Sequence[str], program: str) -> str:
    """Give what a parser prints before it ends; its own parsers call themselves as the program was called."""
    said, called = io.StringIO(), sys.argv[0]
    sys.argv[0] = program
    try:
        with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
            parser.parse_args(list(arguments))
    finally:
        sys.argv[0] = called
    return said.getvalue()


def _described(part: Callable[..., None], name: str) -> str:
    """Give what the docstring of a command says of a parameter."""
    found = re.search(rf"^ +{name}: (.+?)(?=\n +\w+: |\Z)", inspect.getdoc(part) or "", re.MULTILINE | re.DOTALL)
    return " ".join(found[1].split()) if found is not None else ""


def _add_arguments(parser: ArgumentParser, part: Callable[..., None], flag: Mapping[str, Any], many: str = "") -> None:
    """Add a command's own arguments: what stands alone, what takes a value by its type, and flags."""
    switches = _switches(part)
    if many:
        parser.add_argument(
            many, nargs="*", default=[], metavar=many.removesuffix("s").upper(), help=_described(part, many)
        )
    parser.add_function_arguments(part, None, skip={GIVEN, *switches})
    for name in switches:
        parser.add_argument(f"--{name}", help=_described(part, name), **flag)


def _switches(part: Callable[..., None]) -> list[str]:
    return [name for name, one in inspect.signature(part).parameters.items() if one.default is False]


def _purpose(part: Callable[..., None]) -> str:
    return (inspect.getdoc(part) or "").partition("\n\n")[0]  # the rest describes each option beside it

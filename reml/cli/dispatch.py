"""From the words of a command line to a typed call."""

from __future__ import annotations

import inspect
import os
import sys
import traceback
from collections.abc import Sequence

from jsonargparse import ArgumentError

from reml import __version__
from reml.cli.class_paths import suggestions
from reml.cli.commands import COMMANDS, overview, split
from reml.cli.loading import Given
from reml.cli.parsers import GIVEN, named, on_experiment, parser_of
from reml.cli.written import SettingsError
from reml.experiment.settings.settings_of import UntoldSettingsError
from reml.files.atomic import CorruptError, LockedError, StaleError
from reml.files.model_location import ModelError

TRACEBACK = "REML_TRACEBACK"
HELP = frozenset({"-h", "--help"})
EXPECTED = (ArgumentError, ValueError, KeyError, OSError, ImportError, RuntimeError, UntoldSettingsError)


def execute(words: Sequence[str]) -> int:
    """Run one command; errors that a user can mend become one message and exit status 2."""
    if not words or HELP & {words[0]} or (words[0] not in COMMANDS and HELP & set(words[1:2])):
        sys.stdout.write(overview())
        return 0
    if words[0] == "--version":
        sys.stdout.write(f"reml {__version__}\n")
        return 0
    command = words[0]
    try:
        command, arguments = split(words)
        call(command, arguments)
    except KeyboardInterrupt:
        sys.stderr.write("\nstopped; the same command goes on from here.\n")
        return 130
    except EXPECTED as error:
        if os.environ.get(TRACEBACK):
            traceback.print_exception(error)
        sys.stderr.write(f"reml {command}: {_told(error)}\n")
        return 2
    return 0


def call(command: str, arguments: Sequence[str]) -> None:
    """Parse the arguments of a command and run it, or show its help."""
    part = named(command)
    if HELP & set(arguments):
        sys.stdout.write(parser_of(command).format_help())
    elif on_experiment(command):
        given = _given(command, arguments)
        part(given, **given.options())
    else:
        parser = parser_of(command)
        values = parser.instantiate(parser.parse_args(list(arguments))).as_dict()
        if isinstance(part, type):
            part(**values).run()
        else:
            part(**values)


def _given(command: str, arguments: Sequence[str]) -> Given:
    """Name the experiment that a command has of its own where the command line names none."""
    given, default = Given(command, tuple(arguments)), inspect.signature(named(command)).parameters[GIVEN].default
    names_one = any(argument.partition("=")[0] == "--config" for argument in arguments)
    return given if names_one or not isinstance(default, Given) else default.over(*arguments)


def _told(error: BaseException) -> str:
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    if isinstance(error, CorruptError | LockedError | ModelError | SettingsError | StaleError):
        return text
    where: list[str] = getattr(error, "__notes__", [])  # raised in a step: maybe by a class of the user's
    hints = [*suggestions(text), *([f"{TRACEBACK}=1 shows where it arose."] if where else [])]
    return "\n".join([text, *(f"  {line}" for line in where), *(f"hint: {line}" for line in hints)])

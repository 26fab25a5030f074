"""From the words of a command line to a typed call."""

from __future__ import annotations

import inspect
import os
import sys
import traceback
from collections.abc import Sequence

from reml import __version__
from reml.cli.commands import COMMANDS, overview, split
from reml.cli.failures import STOPPED, TRACEBACK, UNREAD, told
from reml.cli.loading import Given
from reml.cli.parsers import GIVEN, PROGRESS, flags, help_of, help_of_setting, many, named, on_experiment, parser_of
from reml.cli.settings.options import parsed_options
from reml.cli.settings.trusted import trusting
from reml.devices.plain import plain
from reml.devices.progress import choose
from reml.devices.streams import end_output, leave_output, ready_streams

HELP = frozenset({"-h", "--help"})
LINE_END = "\n"


def execute(words: Sequence[str]) -> int:
    """Run one command and give its exit status: 0; 2 with a message where a user can mend what is wrong.

    70 for a fault of reml's, 130 when it was stopped, 141 where nobody reads what it prints.
    """
    ready_streams()
    try:
        _execute(words)
        end_output()
    except KeyboardInterrupt:
        return _stopped()
    except SystemExit as asked:  # of Lightning, which ends so when it is interrupted, and of rich, when it is not read
        return _ended(asked)
    except BrokenPipeError:
        leave_output()
        return UNREAD
    except Exception as error:
        return _failed(error, words)
    return 0


def _execute(words: Sequence[str]) -> None:
    if not words or HELP & {words[0]} or (_is_group(words[0]) and HELP & set(words[1:2])):
        sys.stdout.write(overview())
    elif words[0] == "--version":
        sys.stdout.write(f"reml {__version__}\n")
    else:
        call(*split(words))


def _is_group(word: str) -> bool:
    """Tell whether a word begins commands of two words and is none itself."""
    return word not in COMMANDS and any(name.startswith(f"{word} ") for name in COMMANDS)


def _failed(error: Exception, words: Sequence[str]) -> int:
    if os.environ.get(TRACEBACK):
        traceback.print_exception(error)
    said, status = told(error, words)
    sys.stderr.write(f"reml {_name(words)}: {plain(said, keep=LINE_END)}\n")
    leave_output()
    return status


def _name(words: Sequence[str]) -> str:
    try:
        return split(words)[0]
    except ValueError:
        return words[0]


def _stopped() -> int:
    sys.stderr.write("\nstopped; the same command goes on from here.\n")
    return STOPPED


def _ended(asked: SystemExit) -> int:
    if isinstance(asked.__context__, KeyboardInterrupt):
        return _stopped()
    if isinstance(asked.__context__, BrokenPipeError):
        return UNREAD
    raise asked


def call(command: str, arguments: Sequence[str]) -> None:
    """Parse the arguments of a command and run it, or show its help."""
    with trusting(arguments) as others:
        _call(command, others)


def _call(command: str, arguments: Sequence[str]) -> None:
    part = named(command)
    if HELP & set(arguments):
        sys.stdout.write(help_of(command))
    elif (shown := help_of_setting(command, arguments)) is not None:
        sys.stdout.write(shown)
    elif on_experiment(command):
        given = _given(command, arguments)
        given.choose_progress()
        part(given, **given.options())
    else:
        parser = parser_of(command)
        values = parser.instantiate(parsed_options(parser, arguments, part, flags(command))).as_dict()
        if (way := values.pop(PROGRESS)) is not None:
            choose(way)
        if isinstance(part, type):
            part(**values).run()
        else:
            part(*values.pop(many(command), ()), **values)


def _given(command: str, arguments: Sequence[str]) -> Given:
    """Name the experiment that a command has of its own where the command line names none."""
    given, default = Given(command, tuple(arguments)), inspect.signature(named(command)).parameters[GIVEN].default
    names_one = any(argument.partition("=")[0] == "--config" for argument in arguments)
    return given if names_one or not isinstance(default, Given) else default.over(*arguments)

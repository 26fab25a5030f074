"""Measures by the names of ir-measures, their settings checked before any program is called.

The programs behind ir-measures are in C, Perl and Python: a cut-off of 0 ends the process, other settings that they do
not foresee end in a traceback or are rounded without a word. Subtopics (`alpha_nDCG`, `ERR_IA`, ...) are not measured:
judgements of pages have none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reml.evaluation.trec.relevance import HIGHEST

MEASURES = ("nDCG@10", "RR@10", "R@100", "AP")
MOST_PLACES: Final = 1_000_000

_LONGEST: Final = 200
_OF_SUBTOPICS: Final = "pyndeval"
_UNREADABLE: Final = (MemoryError, NameError, RecursionError, SyntaxError, TypeError, ValueError)
_GRADE: Final = f"a whole number from 1 to {HIGHEST}"

# What is allowed of a setting beside its type, in words and as a test.
_ALLOWED: Final[Mapping[str, tuple[str, Callable[[Any], bool]]]] = {
    "cutoff": (f"a whole number from 1 to {MOST_PLACES}", lambda value: 1 <= value <= MOST_PLACES),
    "rel": (_GRADE, lambda value: 1 <= value <= HIGHEST),
    "min_rel": (f"a whole number from 0 to {HIGHEST}", lambda value: 0 <= value <= HIGHEST),
    "max_rel": (_GRADE, lambda value: 1 <= value <= HIGHEST),
    "p": ("a number between 0 and 1", lambda value: 0 < value < 1),
    "T": ("a number above 0, at most 1000", lambda value: 0 < value <= 1000),
    "beta": ("a number from 0.001 to 1000", lambda value: 0.001 <= value <= 1000),
    "recall": (
        "a number from 0 to 1 with two decimals at most",
        lambda value: 0 <= value <= 1 and value == round(value, 2),
    ),
    "gains": (
        f"grades of judgements with their gains, whole numbers from 0 to {HIGHEST}, such as {{0:0,1:1,2:3}}",
        lambda value: all(type(one) is int and 0 <= one <= HIGHEST for pair in value.items() for one in pair),
    ),
    "dcg": ("'log2' or 'exp-log2'", lambda value: value in ("log2", "exp-log2")),
}
_SWITCH: Final = ("True or False", lambda value: value in (True, False))


@dataclass(frozen=True, slots=True)
class NamedMeasure:
    """A measure and the program that computes it, both of ir-measures, which is not typed."""

    name: str
    measure: Any
    program: Any

    @property
    def grade(self) -> int:
        """The grade from which on a page counts as relevant."""
        given = self.measure.params.get("rel", 1)
        return int(given)

    @property
    def highest_grade(self) -> int:
        """The highest grade that its program takes."""
        return 4 if self.program.NAME == "gdeval" else HIGHEST


def named_measure(name: str) -> NamedMeasure:
    """Find the measure of a name; `ValueError` says what of it is not known, not allowed or not installed."""
    import ir_measures

    measure = _parsed(name)
    known: Sequence[Any] = ir_measures.DefaultPipeline.providers
    programs = [program for program in known if program.NAME != _OF_SUBTOPICS and program.supports(measure)]
    ready = [program for program in programs if program.is_available()]
    if not programs:
        raise ValueError(
            f"measure {name!r}: no program behind ir-measures computes it with these settings (a cut-off after `@` may "
            "be wanted, or `rel`); see https://ir-measur.es. Measures of subtopics are not computed here."
        )
    if not ready:
        raise ValueError(
            f"measure {name!r} is computed by {programs[0].NAME}, which is not installed: "
            f"{programs[0].install_instructions()}."
        )
    return NamedMeasure(name, measure, ready[0])


def _parsed(name: str) -> Any:  # ir-measures is not typed
    import ir_measures

    try:
        measure = ir_measures.parse_measure(name if len(name) <= _LONGEST else "")
    except _UNREADABLE as error:
        raise ValueError(
            f"{name[:_LONGEST]!r} is no measure: name measures as https://ir-measur.es does, such as "
            f"{', '.join(MEASURES)} or P(rel=2)@5, with commas between."
        ) from error
    lacking = [key for key, info in measure.SUPPORTED_PARAMS.items() if info.required and key not in measure.params]
    for key in lacking:
        at = f"`{measure.NAME}@...`" if key == measure.AT_PARAM else f"`{measure.NAME}({key}=...)`"
        raise ValueError(f"measure {name!r} lacks its {key}, {_ALLOWED[key][0]}: write {at}.")
    return measure(**{key: _setting(measure, name, key, value) for key, value in measure.params.items()})


def _setting(measure: Any, name: str, key: str, value: object) -> object:
    """Check a setting; a whole number where any number is wanted becomes one."""
    if key not in measure.SUPPORTED_PARAMS:
        raise ValueError(f"measure {name!r} has no setting {key!r}; it has {', '.join(measure.SUPPORTED_PARAMS)}.")
    info = measure.SUPPORTED_PARAMS[key]
    given = float(value) if info.dtype is float and type(value) is int else value
    words, fits = _ALLOWED.get(key, _SWITCH)
    if type(given) is not info.dtype or not fits(given) or not info.validate(given):
        raise ValueError(f"measure {name!r} has {key}={value!r}: give {words}.")
    return given

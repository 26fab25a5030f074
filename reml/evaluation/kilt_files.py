"""KILT files of right answers and predictions, scored as a stream, with everything that is wrong reported at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

from reml.collection.known_pages import absent_pages
from reml.contract.arguments.paths import takes_paths
from reml.evaluation.judgement_lines import JUDGED, QUOTED, gold_of, guess_of, marks_of
from reml.evaluation.judgements import Gold, Guess
from reml.evaluation.kilt import DEPTHS, Evaluation, Scorer
from reml.evaluation.meeting import Watch, alike, beside
from reml.evaluation.problems import QUESTIONS, InvalidFilesError, Problems, other_kind, says_id, says_missing
from reml.files.atomic import CorruptError
from reml.files.lines import LineError, json_lines
from reml.files.records import RECORD_KEYS, RecordError
from reml.files.typed_json import Spelling, plain_json

GOLD = "As gold, name KILT records with right answers, such as those of a dev split (docs/kilt.md shows one)."
GUESS = "As guess, name KILT records with predicted answers, as `reml predict` writes them (docs/kilt.md shows one)."

_LOOKED_AT = 1000

__all__ = ["InvalidFilesError", "evaluate_files"]

_Judgement = TypeVar("_Judgement", Gold, Guess)


@takes_paths
def evaluate_files(gold: Path, guess: Path, depths: Sequence[int] = DEPTHS, *, pages: Path | None = None) -> Evaluation:
    """Score the KILT records of `guess` against those of `gold`; either file may be gzip, by its bytes.

    Predictions may come in any order; those for ids that `gold` does not have are counted, not scored, as are records
    of `gold` without `output`, at which KILT's programs end. Right answers are held in memory, predictions are not.
    `InvalidFilesError` lists whatever is wrong with either file: unreadable lines, ids that come twice or are missing,
    several outputs, no answer, no record at all, ids and pages that are written in another way; and, where `pages`
    names a knowledge source (see `reml.collection.known_pages`), provenance that is not in it.
    """
    problems = Problems()
    _check_paths(gold, guess, problems)
    golds, questions = _read_golds(gold, problems)
    positions = {right.id: position for position, right in enumerate(golds)}
    scorer, watch = Scorer(golds, depths), Watch(frozenset[str]().union(*(one for g in golds for one in g.page_sets)))
    seen: set[str] = set()
    blank = bare = 0
    named: dict[str, str] = {}  # each page that is given, with the first id it is given for
    refused: set[str] = set()  # ids of predictions that are wrong: they are not missing too
    for line, prediction in _records(guess, _noting(guess_of, refused), problems):
        if prediction.id in seen:
            problems.add(f"{guess}, line {line}: a second prediction for id {prediction.id!r}")
        elif prediction.id in positions and not problems.count:
            scorer.add(positions[prediction.id], prediction)
            watch.see(prediction.pages)
            blank, bare = blank + (not prediction.answer), bare + (not prediction.pages)
        seen.add(prediction.id)
        for page in prediction.pages if pages is not None else ():
            named.setdefault(page, prediction.id)
    quoted = _check_exchanged(gold, guess, problems)
    _check_met(gold, guess, golds=positions, guesses=seen | refused, problems=problems)
    if near := watch.apart():
        problems.add(f"{guess}: no page is one of {gold}; {near}. Write ids alike, or leave provenance out")
    if pages is not None:
        _check_pages(named, guess, pages, problems)
    problems.raise_any()
    result = scorer.result(unmatched=len(seen - questions) - len(golds))
    lacking = sum(not any(one.page_sets) for one in golds)
    said = (*_of_gold(result, gold, questions=len(questions), lacking=lacking), *_remarks(result, guess, blank, bare))
    return replace(result, remarks=(*said, *quoted))


def _of_gold(result: Evaluation, gold: Path, *, questions: int, lacking: int) -> Iterator[str]:
    """Say of right answers that name no page which KILT score they leave; where none names any, there is no such score.

    questions: how many records have no right answer to score by. lacking: how many of the others name no page.
    """
    if questions:
        yield f"{questions:,} of {questions + len(result):,} records in {gold} have no output: they are not scored."
    if lacking and result.measures("Rprec"):
        bare = f"{lacking:,} of {len(result):,} right answers in {gold} name no page"
        yield f"{bare}: they count 0 in retrieval, and the KILT score is {1 - lacking / len(result):.4f} at most."


def _remarks(result: Evaluation, guess: Path, blank: int, bare: int) -> Iterator[str]:
    """Say of which answers it is no wonder that they score 0. blank: without a text. bare: without a page."""
    if blank:
        yield f"{blank:,} of {len(result):,} answers in {guess} are blank: they score 0."
    if bare and result.measures("Rprec"):
        yield f"{bare:,} of {len(result):,} answers in {guess} name no page: retrieval and KILT scores are 0."


def _noting(parse: Callable[[str], _Judgement], refused: set[str]) -> Callable[[str], _Judgement]:
    """Parse lines alike, and keep the ids of those that are refused."""

    def parsed(line: str) -> _Judgement:
        try:
            return parse(line)
        except ValueError:
            refused.add(says_id(line))
            raise

    return parsed


def _check_paths(gold: Path, guess: Path, problems: Problems) -> None:
    """Raise `InvalidFilesError` before anything is read if there is nothing to read, or it is of another kind."""
    for path, wanted in ((gold, GOLD), (guess, GUESS)):
        if path.is_dir():
            problems.add(f"{path} is a folder: name a file of KILT records, such as {path / 'predictions.jsonl'}")
        elif not path.exists():
            problems.add(f"{path} does not exist: name a file of KILT records, .jsonl or .jsonl.gz")
        elif path.is_file() and (kind := other_kind(path)) is not None:
            answered_later = wanted == GOLD and kind == QUESTIONS and other_kind(path, None) is None
            if not answered_later:
                problems.add(f"{path} holds {kind}. {wanted}")
    problems.raise_any()


def _check_met(
    gold: Path, guess: Path, *, golds: Collection[str], guesses: Collection[str], problems: Problems
) -> None:
    """Take note of right answers without a prediction, with the prediction whose id is another writing of theirs."""
    if not golds and not problems.count:
        problems.add(f"{gold}: no right answers, so nothing to score")
    if not guesses:
        if not problems.count:
            problems.add(f"{guess} holds no predictions. {GUESS}")
        return
    missing = [one for one in golds if one not in guesses]
    if len(missing) == len(golds) and golds:
        problems.add(
            f"{guess}: no prediction is for an id of {gold}; {beside(guesses, golds)}. Write ids alike in both"
        )
        return
    near = {right: given for given, right in alike([one for one in guesses if one not in golds], missing)}
    if missing:
        missing.sort(key=lambda one: one not in near)
        other = f", but one for {near[missing[0]]!r}" if near else ""
        problems.add(f"{guess}: {says_missing(missing, len(golds), str(gold))}{other}")


def _check_exchanged(gold: Path, guess: Path, problems: Problems) -> Sequence[str]:
    """Raise `InvalidFilesError` if each file is surely the other one; say so, at most once, if it may be."""
    marks, others = _marks(gold), _marks(guess)
    if (problems.count or JUDGED in others - marks) and _exchanged(gold, guess, judged=JUDGED in others):
        raise InvalidFilesError([f"{gold} holds predictions and {guess} right answers: exchange gold and guess"], 1)
    may = QUOTED in marks - others
    return (
        [f"{gold} quotes passages, as predictions do, and {guess} none: are gold and guess exchanged?"] if may else []
    )


def _exchanged(gold: Path, guess: Path, *, judged: bool) -> bool:
    """Tell whether nothing would be wrong if each file were read as the other one, whose answers are no predictions.

    judged: whether `guess` has what only right answers have.
    """
    problems = Problems()
    predictions = [prediction for _, prediction in _records(gold, guess_of, problems)]
    golds = _read_golds(guess, problems)[0] if not problems.count else []
    if not (judged or any(len(right.page_sets) > 1 for right in golds)):
        return False
    ids, answered = {one.id for one in predictions}, any(one.answer for one in predictions)
    return not problems.count and len(ids) == len(predictions) and answered


def _check_pages(named: Mapping[str, str], guess: Path, pages: Path, problems: Problems) -> None:
    try:
        absent = sorted(absent_pages(named, pages))
    except (OSError, RuntimeError, ValueError) as error:
        problems.add(f"{pages}: its pages cannot be read ({error})")
        return
    for page in absent:
        problems.add(f"{guess}: page {page!r}, given for id {named[page]!r}, is not in {pages}")


def _marks(path: Path) -> frozenset[str]:
    """Give what `marks_of` finds in the first records of a file; nothing of a pipe, which is read once."""
    lines = json_lines(path, marks_of, lambda _: None) if path.is_file() else ()
    return frozenset[str]().union(*(marks for _, marks in islice(lines, _LOOKED_AT)))


def _right_of(line: str) -> Gold:
    """Read the right answers of a line, none where it has no `output`; as of `gold_of` otherwise."""
    try:
        return gold_of(line)
    except RecordError:
        record = plain_json(line)
        if not isinstance(record, dict) or record.get("output") is not None:
            raise
        return Gold.parse({**record, "output": []})


def _read_golds(path: Path, problems: Problems) -> tuple[list[Gold], set[str]]:
    """Give the right answers, and the ids of questions without output, which nothing can be compared with."""
    golds: dict[str, Gold] = {}
    questions: set[str] = set()
    for line, right in _records(path, _right_of, problems):
        if right.id in golds or right.id in questions:
            problems.add(f"{path}, line {line}: id {right.id!r} comes a second time")
        elif not right.page_sets:
            questions.add(right.id)
            continue
        elif not right.answers:
            problems.add(f"{path}, line {line}: no right answer for id {right.id!r}, so nothing to compare with")
        golds.setdefault(right.id, right)
    return list(golds.values()), questions


def _records(path: Path, parse: Callable[[str], _Judgement], problems: Problems) -> Iterator[tuple[int, _Judgement]]:
    spelling = Spelling(path, RECORD_KEYS)
    try:
        for number, found in json_lines(path, spelling.watching(parse), lambda error: problems.add(str(error))):
            spelling.say(number)
            yield number, found
    except (LineError, CorruptError) as error:
        problems.add(str(error))  # of the whole file: what else is missing says nothing
        problems.raise_any()
    except OSError as error:
        problems.add(f"{path}: cannot be read ({error.strerror})")

"""The archive for KILT's leaderboard: one file of predictions for each dataset, written and checked.

What the leaderboard's programs refuse is taken from KILT's code (kilt/eval_downstream.py, kilt/eval_retrieval.py): ids
that are missing or come twice, other than one output, no answer, provenance without `wikipedia_id`. Files are named as
that code names predictions: like the test file they answer (kilt/retrieval.py, kilt/configs/test_data.json). The page
of the leaderboard itself (https://eval.ai/web/challenges/challenge-page/689) is shown to its participants only: where
it asks for other names, give them as `names`.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reml.contract.arguments.paths import takes_paths
from reml.contract.examples import Answer, Example, Json
from reml.evaluation.problems import Problems, says_missing
from reml.files.atomic import atomic_file
from reml.files.lines import line_text
from reml.files.records import decode_record, read_examples
from reml.kilt.catalogue import Dataset
from reml.kilt.files import require_split

NAMES = "{dataset}-test_without_answers-kilt.jsonl"
_PLACE = (
    "wikipedia_id",
    "title",
    "section",
    "start_paragraph_id",
    "start_character",
    "end_paragraph_id",
    "end_character",
)


@dataclass(frozen=True, slots=True)
class Submission:
    """What an archive holds: the number of predictions of each dataset, and how many of all have a blank answer."""

    predictions: Mapping[str, int]
    blank: int


@takes_paths
def write_archive(
    archive: Path, predictions: Path, datasets: Sequence[Dataset], *, tests: Path, names: str = NAMES
) -> Submission:
    """Write the predictions found in a folder as an archive, whole or not at all, and give what it holds.

    A dataset's predictions are `DATASET/predictions.jsonl` (as in a result folder), `DATASET.jsonl` or a file with its
    name in the archive, each also gzip. tests: the folder of the test files. `FileNotFoundError` if some are missing,
    `InvalidFilesError` with all that the leaderboard would refuse.
    """
    if not predictions.is_dir():
        what = "is no folder" if predictions.exists() else "does not exist"
        raise FileNotFoundError(f"{predictions} {what}: name a folder with DATASET/predictions.jsonl or DATASET.jsonl.")
    _by_file(names, datasets)  # says so before anything is written
    found = {each.name: _predictions_of(each, predictions, names) for each in datasets}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        have = ",".join(name for name in found if name not in missing) or "nq,fever"
        raise FileNotFoundError(
            f"{predictions} has no predictions for {', '.join(missing)}: give DATASET/predictions.jsonl or "
            f"DATASET.jsonl for each, or name the datasets you have, such as `--datasets {have}`."
        )
    with atomic_file(archive) as draft:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name, path in found.items():
                _add(bundle, _named(names, name), path)
        return check_archive(draft, datasets, tests=tests, names=names)


@takes_paths
def check_archive(archive: Path, datasets: Sequence[Dataset], *, tests: Path, names: str = NAMES) -> Submission:
    """Read an archive as the leaderboard would; `InvalidFilesError` lists all that it would refuse."""
    problems, counts, blank = Problems(), {}, 0
    wanted = _by_file(names, datasets)
    try:
        with zipfile.ZipFile(archive) as bundle:
            _check_names([info.filename for info in bundle.infolist()], wanted, problems)
            for name, each in wanted.items():
                if name in bundle.namelist():
                    ids = {example.id for example in read_examples(require_split(each, "test", tests))}
                    counts[each.name], blanks = _check_file(bundle, name, ids, problems)
                    blank += blanks
    except zipfile.BadZipFile as error:
        problems.add(f"{archive}: no zip archive, or cut short ({error})")
    problems.raise_any()
    return Submission(counts, blank)


def _by_file(names: str, datasets: Sequence[Dataset]) -> dict[str, Dataset]:
    """Give datasets by the names of their files; `ValueError` where two have the same."""
    wanted = {_named(names, each.name): each for each in datasets}
    if len(wanted) < len(datasets):
        raise ValueError(f"names is {names!r}, the same for all datasets: write {{dataset}} where each has its name.")
    return wanted


def _named(names: str, dataset: str) -> str:
    """Name the file of a dataset; `ValueError` for what is no name with `{dataset}` in it."""
    name = names.replace("{dataset}", dataset)
    if not name.strip() or {"{", "}", "\0"} & set(name):
        raise ValueError(f"names is {names!r}: give the name of a file, with {{dataset}} for the name of each dataset.")
    return name


def _predictions_of(dataset: Dataset, folder: Path, names: str) -> Path | None:
    stems = (f"{dataset.name}/predictions.jsonl", f"{dataset.name}.jsonl", _named(names, dataset.name))
    paths = (folder / (stem + ending) for stem in stems for ending in ("", ".gz"))
    return next((path for path in paths if path.is_file()), None)


def _add(bundle: zipfile.ZipFile, name: str, path: Path | None) -> None:
    member = zipfile.ZipInfo(name)  # without a date: the same predictions give the same bytes
    member.compress_type = zipfile.ZIP_DEFLATED
    with bundle.open(member, "w", force_zip64=True) as stream:
        for example in read_examples(path) if path is not None else ():
            stream.write(json.dumps(_submitted(example)).encode() + b"\n")


def _submitted(example: Example) -> Json:
    """Give the record of a prediction with the fields that KILT's format has and no others."""
    return {"id": example.id, "input": example.input, "output": [_submitted_output(each) for each in example.output]}


def _submitted_output(answer: Answer) -> Json:
    places: list[Json] = [
        {key: value for key in _PLACE if (value := getattr(place, key)) is not None} for place in answer.provenance
    ]
    return {"provenance": places} if answer.text is None else {"answer": answer.text, "provenance": places}


def _check_names(given: Sequence[str], wanted: Mapping[str, Dataset], problems: Problems) -> None:
    for name in dict.fromkeys(given):
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            problems.add(f"{name!r} lies outside the archive: files stand at its top")
        elif name not in wanted:
            inside = " (files stand at the top, in no folder)" if path.name in wanted else ""
            problems.add(f"{name!r} is no file that was asked for{inside}")
        elif given.count(name) > 1:
            problems.add(f"{name!r} is there {given.count(name)} times")
    for name in wanted:
        if name not in given:
            problems.add(f"{name!r} is missing")


def _check_file(bundle: zipfile.ZipFile, name: str, ids: set[str], problems: Problems) -> tuple[int, int]:
    """Give the numbers of predictions and of blank answers of one file."""
    seen: set[str] = set()
    blank = 0
    for line, example in _records(bundle, name, problems):
        place = f"{name}, line {line}"
        if example.id in seen:
            problems.add(f"{place}: a second prediction for id {example.id!r}")
        elif example.id not in ids:
            problems.add(f"{place}: the test set has no id {example.id!r}")
        seen.add(example.id)
        if len(example.output) != 1:
            problems.add(f"{place}: {len(example.output)} outputs where exactly one prediction must be")
        elif example.output[0].text is None:
            problems.add(f"{place}: the output has no answer")
        else:
            blank += not example.output[0].text.strip()
    if missing := sorted(ids - seen):
        problems.add(f"{name}: {says_missing(missing, len(ids), 'the test set')}")
    return len(seen), blank


def _records(bundle: zipfile.ZipFile, name: str, problems: Problems) -> Iterator[tuple[int, Example]]:
    number = 0
    try:
        with bundle.open(name) as stream:
            for number, line in enumerate(stream, start=1):
                try:
                    yield number, decode_record(line_text(line))
                except ValueError as error:
                    problems.add(f"{name}, line {number}: {error}")
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        problems.add(f"{name}: cannot be unpacked after line {number} ({error})")

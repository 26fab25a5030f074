"""Where the files of KILT are: found in a folder, or brought into it."""

from __future__ import annotations

from pathlib import Path

from reml.files.atomic import home
from reml.files.fetching.downloads import Patience, Remote, fetch
from reml.kilt.catalogue import KNOWLEDGE_SOURCE, TRIVIAQA, Dataset
from reml.kilt.hub import fetch_from_hub
from reml.kilt.triviaqa import join_questions

_PAGES = (KNOWLEDGE_SOURCE.name, "knowledge_source.jsonl")


def kilt_folder(folder: str | Path | None = None) -> Path:
    """Give the folder of KILT's files: `folder`, or `kilt` in `REML_HOME`."""
    return home() / "kilt" if folder is None else Path(folder).expanduser()


def find_split(dataset: Dataset, split: str, folder: Path) -> Path | None:
    """Give the file of a split if it is in the folder, plain or gzip; a test file may also have the answers."""
    names = (dataset.file(split).name, f"{dataset.name}-{split}-kilt.jsonl")
    return _first_there(folder, names)


def find_pages(folder: Path) -> Path | None:
    """Give the file of the knowledge source if it is in the folder."""
    return _first_there(folder, _PAGES)


def require_split(dataset: Dataset, split: str, folder: Path) -> Path:
    """Give the file of a split; `FileNotFoundError` says how to get it."""
    found = find_split(dataset, split, folder)
    if found is None:
        name = dataset.file(split).name
        raise FileNotFoundError(
            f"{folder} has no {name} (nor {name}.gz). Get it by: "
            f"reml prepare kilt --datasets {dataset.name} --splits {split} --folder {folder}"
        )
    return found


def require_pages(folder: Path) -> Path:
    """Give the file of the knowledge source; `FileNotFoundError` says how to get it."""
    found = find_pages(folder)
    if found is None:
        raise FileNotFoundError(
            f"{folder} has no knowledge source ({' or '.join(_PAGES)}, also .gz). Name one as knowledge_source, or get "
            f"KILT's own ({KNOWLEDGE_SOURCE.size:,} bytes) by: reml prepare kilt --pages fetch --folder {folder}"
        )
    return found


def obtain_split(
    dataset: Dataset,
    split: str,
    folder: Path,
    *,
    hub: str | None = None,
    patience: Patience | None = None,
    questions: Remote = TRIVIAQA,
) -> Path:
    """Give the file of a split, fetched first unless it is in the folder; TriviaQA's with its `questions`.

    hub: the dataset of the Hugging Face hub that it comes from (`reml.kilt.hub`); from KILT's own server if left out.
    Raises what `fetch` of `reml.files.fetching.downloads` and `fetch_from_hub` raise, and `CorruptError` if a question
    is missing.
    """
    found = find_split(dataset, split, folder)
    if found is not None:
        return found
    file = dataset.file(split)
    name = file.remote.name if dataset.name == "triviaqa" else file.name
    if hub is None:
        records = fetch(file.remote, folder / name, patience)
    else:
        records = fetch_from_hub(dataset, split, folder / name, repository=hub)
    if dataset.name != "triviaqa":
        return records
    archive = fetch(questions, folder / questions.name, patience)
    return join_questions(records, archive, folder / file.name)


def obtain_pages(folder: Path, patience: Patience | None = None) -> Path:
    """Give the file of the knowledge source, fetched first unless it is in the folder."""
    return find_pages(folder) or fetch(KNOWLEDGE_SOURCE, folder / KNOWLEDGE_SOURCE.name, patience)


def _first_there(folder: Path, names: tuple[str, ...]) -> Path | None:
    paths = (folder / (name + ending) for name in names for ending in ("", ".gz"))
    return next((path for path in paths if path.is_file()), None)

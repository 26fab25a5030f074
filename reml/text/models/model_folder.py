"""Where a model is, and its files: what cannot be read, or is not the model itself, is refused before it is loaded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import final

from safetensors import SafetensorError, safe_open

from reml.contract.examples import Json
from reml.files.integrity.checked import of_system
from reml.files.lines import LFS_POINTER
from reml.files.model_location import ModelError, located
from reml.files.typed_json import NotJsonError, each_once
from reml.text.models.gguf import converted

GGUF = ".gguf"
WEIGHTS, SHARDS = "model.safetensors", "model.safetensors.index.json"
# What is read of a folder beside its weights.
SETTINGS = (
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "modules.json",
    "config_sentence_transformers.json",
    "sentence_bert_config.json",
    SHARDS,
)
WORDS = ("vocab.txt", "merges.txt", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model")
# Of a model on the hub: what is read here beside what transformers asks for itself.
ON_HUB = ["*.json", "artifact.metadata", "*.txt", "*.model", "*.codes", "*.tiktoken", "[0-9]*_*/*"]


@final
@dataclass(frozen=True)
class ModelFolder:
    """The files of a model. name: as the settings name it. root: its folder. source: what transformers loads from."""

    name: str
    root: Path
    source: str

    @property
    def weights(self) -> Path:
        """The folder of the transformers model: the root, or a folder in it."""
        return Path(self.source) if Path(self.source).is_dir() else self.root

    def read(self, file: str) -> Json:
        """Give a JSON file of the root, None if it is not there; `ModelError` if it is no JSON."""
        path = self.root / file
        return _json(self.name, path, file) if path.is_file() else None

    def object(self, file: str) -> dict[str, Json]:
        """Give a JSON object of the root, empty if it is not there; `ModelError` if it is none."""
        value = self.read(file)
        if not isinstance(value, dict | None):
            raise ModelError(f"{self.name!r}: {file} is no JSON object. Get it anew.")
        return value or {}


def opened(model: str | Path, wanted: str = "model") -> ModelFolder:
    """Find a hub id, a folder or `package:NAME/PATH`, and look at its files.

    wanted: what is looked for, in messages. `ModelError` if there is none, or a file is missing, cut or a pointer of
    git-lfs, or it is but an adapter.
    """
    name = str(model)
    place = Path(located(name)).expanduser()
    if place.is_file():
        raise ModelError(
            f"{name!r} is a file: give a hub id, a folder of a transformers {wanted} with safetensors, or "
            "package:NAME/PATH; a GGUF file is read where a language model is wanted (InContext, KnnLm, States)."
        )
    root = place if place.is_dir() else _from_hub(name, wanted)
    folder = ModelFolder(name, root, str(place) if place.is_dir() else name)
    folder = _with_part(folder)
    _refuse_files(folder, wanted, here=place.is_dir())
    return folder


def opened_language_model(model: str | Path) -> ModelFolder:
    """Do as `opened`; a GGUF file is converted once into the cache."""
    place = Path(located(str(model))).expanduser()
    if place.suffix != GGUF or not place.is_file():
        return opened(model, "language model")
    if pointer(place):
        raise _not_fetched(str(model), place)
    try:
        folder = converted(place)
    except ModuleNotFoundError:
        raise
    except Exception as error:
        raise ModelError(
            f"{str(model)!r}: {place.name} is no GGUF file that can be read, or is cut; get it anew ({said(error)})."
        ) from error
    return ModelFolder(str(model), folder, str(folder))


def not_loaded(name: str, wanted: str, reason: str) -> ModelError:
    """Say that there is no such model, and what may be named."""
    return ModelError(
        f"{name!r} cannot be loaded: give a hub id, a folder of a transformers {wanted} with safetensors, or "
        f"package:NAME/PATH. {reason}"
    )


def said(error: BaseException) -> str:
    """Give what a library says in one line, not more than is read."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:297]}..."


def pointer(path: Path) -> bool:
    """Tell whether a file is but a pointer of git-lfs."""
    with path.open("rb") as stream:
        return stream.read(len(LFS_POINTER)) == LFS_POINTER


def refuse_cut(name: str, path: Path) -> None:
    """Raise `ModelError` if a file of weights is a pointer, cut or damaged."""
    if pointer(path):
        raise _not_fetched(name, path)
    try:
        with safe_open(path, "pt") as tensors:
            tensors.keys()
    except (SafetensorError, OSError) as error:
        if of_system(error):
            raise
        raise ModelError(f"{name!r}: {path.name} is cut or damaged ({said(error)}). Get it anew.") from error


def _from_hub(name: str, wanted: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=ON_HUB))
    except (OSError, ValueError) as error:
        raise not_loaded(name, wanted, f"There is no such folder, and the hub says: {said(error)}") from error


def _with_part(folder: ModelFolder) -> ModelFolder:
    """Look into 0_Transformer, say, where old folders of sentence-transformers keep the transformers model."""
    if (folder.root / "config.json").is_file():
        return folder
    modules = folder.read("modules.json")
    first = modules[0] if isinstance(modules, list) and modules else {}
    part = first.get("path") if isinstance(first, dict) else None
    if not isinstance(part, str) or not part or not _inside(folder.root, part):
        return folder
    return ModelFolder(folder.name, folder.root, str(folder.root / part))


def _inside(root: Path, part: str) -> bool:
    return (root / part).is_dir() and (root / part).resolve().is_relative_to(root.resolve())


def _refuse_files(folder: ModelFolder, wanted: str, *, here: bool) -> None:
    """Look at what will be read. here: whether the weights are in the folder already, as they are not from the hub."""
    for place in dict.fromkeys([folder.weights, folder.root]):
        for path in (place / file for file in (*SETTINGS, *WORDS)):
            if path.is_file():
                _refuse_file(folder.name, path)
    if (folder.weights / "adapter_config.json").is_file():
        raise ModelError(
            f"{folder.name!r}: adapter_config.json says that it is an adapter, which is not applied here: merge it "
            "into its model (`merge_and_unload` of peft) and name the folder of that."
        )
    if not (folder.weights / "config.json").is_file():
        raise not_loaded(folder.name, wanted, f"{folder.weights} has no config.json.")
    if here or folder.source != folder.name:
        for path in _weight_files(folder, wanted):
            refuse_cut(folder.name, path)


def _refuse_file(name: str, path: Path) -> None:
    if pointer(path):
        raise _not_fetched(name, path)
    if not path.stat().st_size:
        raise ModelError(f"{name!r}: {path.name} is empty. Get it anew.")
    if path.suffix == ".json":
        _json(name, path)


def _weight_files(folder: ModelFolder, wanted: str) -> Iterator[Path]:
    if (folder.weights / WEIGHTS).is_file():
        yield folder.weights / WEIGHTS
        return
    if not (folder.weights / SHARDS).is_file():
        raise not_loaded(folder.name, wanted, f"{folder.weights} has no {WEIGHTS} (pickled weights are never read).")
    shards = _json(folder.name, folder.weights / SHARDS)
    names = shards.get("weight_map") if isinstance(shards, dict) else None
    if not isinstance(names, dict) or not names:
        raise ModelError(f"{folder.name!r}: {SHARDS} names no files of weights. Get it anew.")
    for file in sorted({str(file) for file in names.values()}):
        if not (folder.weights / file).is_file():
            raise ModelError(f"{folder.name!r}: {file}, named in {SHARDS}, is not there. Get it, and name it again.")
        yield folder.weights / file


def _json(name: str, path: Path, file: str = "") -> Json:
    """Read a JSON file; `ModelError` if it is none, or gives a key twice. file: what it is called, if not its name."""
    try:
        value: Json = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=each_once)
    except NotJsonError as error:
        raise ModelError(f"{name!r}: {file or path.name}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{name!r}: {path.name} is no readable JSON ({said(error)}). Get it anew.") from error
    return value


def _not_fetched(name: str, path: Path) -> ModelError:
    return ModelError(
        f"{name!r}: {path.name} is a pointer of git-lfs, not the file itself: run `git lfs pull` in {path.parent}, or "
        "get the file anew."
    )


def refuse_foreign_code(folder: ModelFolder, classes: tuple[str, ...], *, trusted: bool | None) -> None:
    """Raise `ModelError` if a folder names code of its own for one of these classes and it is not trusted.

    trusted: None where no setting can trust it.
    """
    if trusted:
        return
    for file in ("config.json", "tokenizer_config.json"):
        path = folder.weights / file
        known = _json(folder.name, path) if path.is_file() else {}
        named = known.get("auto_map") if isinstance(known, dict) else None
        named = {"AutoTokenizer": named} if isinstance(named, list) else named
        if isinstance(named, dict) and (code := [str(named[one]) for one in classes if named.get(one)]):
            trust = (
                "Name another model"
                if trusted is None
                else "Read it, then set `trust_remote_code: true`, or name another model"
            )
            raise ModelError(
                f"{folder.name!r}: {file} names code of its own ({_module(code[0])}), which is not run. {trust}."
            )


def _module(reference: str) -> str:
    found = re.search(r"([\w./-]+)\.\w+", reference)
    return f"{found[1]}.py" if found else reference

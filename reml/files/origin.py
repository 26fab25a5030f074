"""What a folder was built from: it is served only to what it was built for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.files.atomic import StaleError, atomic_folder, read_manifest, write_manifest

KIND = "retriever"


@dataclass(frozen=True, slots=True)
class Origin:
    """What a retriever's folder was built from: a collection at a version, and a digest of all settings and weights."""

    collection: str
    version: int
    encoder: str

    @classmethod
    def of(cls, collection: Collection, encoder: str) -> Origin:
        """Note a collection as it is now; `encoder` digests the encoder, or the settings it is made with."""
        return cls(collection.fingerprint, collection.version, encoder)


@takes_paths
def build_once(folder: Path, origin: Origin, build: Callable[[Path], None]) -> None:
    """See that `folder` holds what `build` writes for this origin.

    If there is nothing yet, `build` gets a draft folder to write to, which takes the name when it is whole.
    `StaleError` if the folder was built from something else; `CorruptError` if it holds what reml did not make.
    """
    if folder.is_dir() and any(folder.iterdir()):
        _check(folder, origin)
        return
    with atomic_folder(folder) as draft:
        build(draft)
        write_manifest(draft, KIND, asdict(origin))


def _check(folder: Path, origin: Origin) -> None:
    built = read_manifest(folder, KIND)
    wrong = [f"{name} {built.get(name)}, not {now}" for name, now in asdict(origin).items() if built.get(name) != now]
    if wrong:
        raise StaleError(
            f"the retriever in {folder} was built for {'; '.join(wrong)}. Delete that folder to have it built again, "
            "or name another."
        )

"""Archives like TriviaQA's."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

from reml.kilt.triviaqa import MEMBERS


def triviaqa_archive(path: Path, **questions: dict[str, str]) -> Path:
    """Write the questions of `train`, `dev` and `test` by id, as TriviaQA lays them out."""
    with tarfile.open(path, "w:gz") as tar:
        for split, name in zip(("train", "dev", "test"), MEMBERS, strict=True):
            elements = [
                {"Question": question, "QuestionId": identifier, "EntityPages": [{"Title": "]}, {"}]}
                for identifier, question in questions.get(split, {}).items()
            ]
            add(tar, "evidence/web/1.txt", b"evidence")
            add(tar, name, json.dumps({"Data": elements, "Domain": "Wikipedia"}, indent=4).encode())
    return path


def add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))

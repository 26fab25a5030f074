"""One door: whatever the reader, the same bytes are read to the same texts, or refused in the same words."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from reml.cli.settings.written import read_settings
from reml.collection.sources.kilt_pages import JsonlPages
from reml.collection.sources.text_files import JsonlTexts, TsvTexts
from reml.evaluation.kilt_files import evaluate_files
from reml.evaluation.trec.beir import read_judgements
from reml.files.lines import decoded_lines
from reml.files.records import read_examples
from reml.retrievers.snrm.word_vectors import first_words

# Characters that other programs end lines at, and what is longer in UTF-8 than it looks.
TEXTS = ("éa\u2028b\u0085c", "🐉\ufeffz\u2029y")
LONG = "x" * 3_000_000


@dataclass(frozen=True)
class Reader:
    """How the number and the text of a line are written for a reader, and what it reads: the texts."""

    line: Callable[[int, str], str]
    read: Callable[[Path], list[str]]
    json: bool = False
    zipped: bool = True

    def __repr__(self) -> str:
        return next(name for name, one in READERS.items() if one is self)

    def content(self, *texts: str) -> bytes:
        return "".join(self.line(number, text) + "\n" for number, text in enumerate(texts)).encode()


def texts_of_corpus(make: Callable[[Path], TsvTexts | JsonlTexts]) -> Callable[[Path], list[str]]:
    return lambda path: [page.paragraphs[1] for page in make(path).pages()]


def of_object(**fields: str | None) -> Callable[[int, str], str]:
    """Write an object with these fields: those that are None get the text, `id` and its like the number."""
    return lambda number, text: json.dumps(
        {key: text if kind is None else f"{kind}{number}" for key, kind in fields.items()}, ensure_ascii=False
    )


def record(number: int, text: str) -> str:
    output = [{"answer": text, "provenance": [{"wikipedia_id": "1"}, {"wikipedia_id": "2"}]}]
    return json.dumps({"id": f"q{number}", "input": "?", "output": output}, ensure_ascii=False)


def right(path: Path, *, gold: bool) -> list[str]:
    """Evaluate a file as right answers or as predictions, against `TEXTS`: give those that agree."""
    other = path.parent / "other.jsonl"
    other.write_text("".join(record(number, text) + "\n" for number, text in enumerate(TEXTS)), encoding="utf-8")
    found = evaluate_files(path, other) if gold else evaluate_files(other, path)
    return [text for text, score in zip(TEXTS, found.values["em"], strict=False) if score == 1]


def document(line: str) -> str:
    fields = line.split(" ")
    if len(fields) != 6:
        raise ValueError(f"{len(fields)} fields and not six")
    return fields[2]


READERS = {
    "pages": Reader(
        lambda number, text: json.dumps(
            {"_id": f"p{number}", "wikipedia_title": "T", "text": ["T", text]}, ensure_ascii=False
        ),
        lambda path: [page.paragraphs[1] for page in JsonlPages(path).pages()],
        json=True,
    ),
    "examples": Reader(record, lambda path: [text for one in read_examples(path) for text in one.answers], json=True),
    "right answers": Reader(record, lambda path: right(path, gold=True), json=True),
    "predictions": Reader(record, lambda path: right(path, gold=False), json=True),
    "objects": Reader(of_object(_id="d", text=None), texts_of_corpus(lambda path: JsonlTexts(str(path))), json=True),
    "table": Reader(
        lambda number, text: f"d{number}\t{text}", texts_of_corpus(lambda path: TsvTexts(str(path), ["id", "text"]))
    ),
    "quoted table": Reader(
        lambda number, text: f'd{number}\t"{text}"',
        texts_of_corpus(lambda path: TsvTexts(str(path), ["id", "text"], quoted=True)),
    ),
    "judgements": Reader(
        lambda number, text: f"q{number}\t{text}\t1",
        lambda path: [document for _, document, _ in read_judgements(path)],
    ),
    "runs": Reader(
        lambda number, text: f"q{number} Q0 {text} 1 2.0 tag",
        lambda path: [found for _, found in decoded_lines(path, document)],
    ),
    "word vectors": Reader(lambda _, text: f"{text} 0.5", lambda path: first_words(str(path), 9)),
    "settings": Reader(
        lambda number, text: f"d{number}: '{text}'",
        lambda path: [str(value) for value in read_settings(path).values()],
        zipped=False,
    ),
}
EVERY = pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
OF_JSON = pytest.mark.parametrize(
    "reader", [one for one in READERS.values() if one.json], ids=[name for name, one in READERS.items() if one.json]
)


def words(reader: Reader) -> tuple[str, ...]:
    """YAML ends lines at U+2028 and its like, as its specification says, so there they are escaped by who writes."""
    return TEXTS if reader is not READERS["settings"] else ("é", "🐉\ufeffz")


READ: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda data: data,
    "byte order mark": lambda data: codecs.BOM_UTF8 + data,
    "Windows line ends": lambda data: data.replace(b"\n", b"\r\n"),
    "Windows line ends behind a mark": lambda data: codecs.BOM_UTF8 + data.replace(b"\n", b"\r\n"),
    "Mac line ends": lambda data: data.replace(b"\n", b"\r"),
    "no last line end": lambda data: data.rstrip(b"\n"),
    "blank lines": lambda data: b"\n  \n" + data.replace(b"\n", b"\n\n\r\n"),
}
ZIPPED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "gzip of a mark": lambda data: gzip.compress(codecs.BOM_UTF8 + data),
    "gzip of Mac line ends": lambda data: gzip.compress(data.replace(b"\n", b"\r")),
    "gzip in parts": lambda data: gzip.compress(data[:7]) + gzip.compress(data[7:]),
}


@EVERY
@pytest.mark.parametrize("change", READ.values(), ids=READ)
def test_the_same_texts_are_read_however_the_file_is_written(
    reader: Reader, change: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes(change(reader.content(*words(reader))))
    assert reader.read(path) == list(words(reader))


@pytest.mark.parametrize("name", ["file", "file.gz", "file.jsonl"])
@pytest.mark.parametrize("change", ZIPPED.values(), ids=ZIPPED)
@EVERY
def test_gzip_is_read_whatever_its_name(
    reader: Reader, change: Callable[[bytes], bytes], name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(change(reader.content(*words(reader))))
    if reader.zipped:
        assert reader.read(path) == list(words(reader))
    else:
        with pytest.raises(ValueError, match=f"{name} is compressed by gzip: unpack it"):
            reader.read(path)


@EVERY
def test_plain_text_may_be_called_gz(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "file.jsonl.gz"
    path.write_bytes(reader.content(*words(reader)))
    assert reader.read(path) == list(words(reader))


@pytest.mark.parametrize("name", [name for name in READERS if name not in ("right answers", "predictions", "settings")])
def test_a_line_may_be_very_long(name: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(READERS[name].content("short", LONG))
    assert READERS[name].read(path) == ["short", LONG]


@pytest.mark.parametrize("name", [name for name in READERS if name not in ("word vectors", "settings")])
def test_marks_between_files_that_were_joined_are_passed_over(name: str, tmp_path: Path) -> None:
    path, reader = tmp_path / "file", READERS[name]
    path.write_bytes(b"".join(codecs.BOM_UTF8 + line for line in reader.content(*TEXTS).splitlines(keepends=True)))
    assert reader.read(path) == list(TEXTS)


def archive(data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as bundle:
        bundle.writestr("file.jsonl", data)
    return stream.getvalue()


def tarred(mode: str) -> Callable[[bytes], bytes]:
    def made(data: bytes) -> bytes:
        stream, info = io.BytesIO(), tarfile.TarInfo("file.jsonl")
        info.size = len(data)
        with tarfile.open(fileobj=stream, mode=mode) as tar:  # type: ignore[call-overload]  # w or w:gz
            tar.addfile(info, io.BytesIO(data))
        return stream.getvalue()

    return made


def with_second(replaced: bytes) -> Callable[[bytes], bytes]:
    """Put bytes in the place of the first letter of the second text."""
    return lambda data: data.replace("🐉".encode(), replaced)


REFUSED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "zip": (archive, "is a zip archive: unpack it"),
    "bzip2": (bz2.compress, "is compressed by bzip2: unpack it"),
    "xz": (lzma.compress, "is compressed by xz: unpack it"),
    "zstd": (lambda data: b"\x28\xb5\x2f\xfd\x04" + data, "is compressed by zstd: unpack it"),
    "lz4": (lambda data: b"\x04\x22\x4d\x18" + data, "is compressed by lz4: unpack it"),
    "7z": (lambda data: b"7z\xbc\xaf\x27\x1c" + data, "is a 7z archive: unpack it"),
    "rar": (lambda data: b"Rar!\x1a\x07\x00" + data, "is a rar archive: unpack it"),
    "tar": (tarred("w"), "is a tar archive: unpack it"),
    "pointer": (lambda _: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git lfs pull"),
    "UTF-16": (lambda data: data.decode().encode("utf-16"), "is UTF-16, as its first bytes say: write it as UTF-8"),
    "UTF-16 of big ends": (lambda data: codecs.BOM_UTF16_BE + data.decode().encode("utf-16-be"), "is UTF-16, as"),
    "UTF-32": (lambda data: data.decode().encode("utf-32"), "is UTF-32, as its first bytes say"),
    "UTF-32 of big ends": (lambda data: codecs.BOM_UTF32_BE + data.decode().encode("utf-32-be"), "is UTF-32, as"),
    "UTF-16 without a mark": (lambda data: data.decode().encode("utf-16-le"), "line 1: (a NUL byte|not UTF-8)"),
    "NUL": (with_second(b"\0"), "line 2: a NUL byte"),
    "Latin-1": (with_second(b"\xe9"), "line 2: not UTF-8"),
    "a surrogate in UTF-8": (with_second(b"\xed\xa0\xbd"), "line 2: not UTF-8"),
    "CESU-8": (with_second(b"\xed\xa0\xbd\xed\xb0\x89"), "line 2: not UTF-8"),
    "overlong UTF-8": (with_second(b"\xc1\xa1"), "line 2: not UTF-8"),
}
OF_GZIP: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "gzip twice": (lambda data: gzip.compress(gzip.compress(data)), "is compressed by gzip twice"),
    "gzip of tar": (tarred("w:gz"), "unpacked, is a tar archive"),
    "gzip of UTF-16": (lambda data: gzip.compress(data.decode().encode("utf-16")), "unpacked, is UTF-16"),
    "gzip cut short": (lambda data: gzip.compress(data)[:-9], r"cut short or damaged after line \d"),
    "gzip damaged": (lambda data: gzip.compress(data)[:-6] + bytes(6), r"cut short or damaged after line 2"),
    "gzip and then some": (lambda data: gzip.compress(data) + b"more", r"cut short or damaged after line 2"),
}


@pytest.mark.parametrize(("change", "told"), REFUSED.values(), ids=REFUSED)
@EVERY
def test_what_is_no_text_in_utf8_is_refused_in_the_same_words(
    reader: Reader, change: Callable[[bytes], bytes], told: str, tmp_path: Path
) -> None:
    path = tmp_path / "file.data"
    path.write_bytes(change(reader.content(*words(reader))))
    with pytest.raises((ValueError, RuntimeError), match=rf"file\.data(?:.|\n)*{told}"):
        reader.read(path)


@pytest.mark.parametrize(("change", "told"), OF_GZIP.values(), ids=OF_GZIP)
@pytest.mark.parametrize("name", [name for name, one in READERS.items() if one.zipped])
def test_gzip_that_is_not_whole_or_not_of_text_is_refused_in_the_same_words(
    name: str, change: Callable[[bytes], bytes], told: str, tmp_path: Path
) -> None:
    path = tmp_path / "file.data"
    path.write_bytes(change(READERS[name].content(*TEXTS)))
    with pytest.raises((ValueError, RuntimeError), match=rf"file\.data(?:.|\n)*{told}"):
        READERS[name].read(path)


def listed(data: bytes) -> list[object]:
    return [json.loads(line) for line in data.decode().split("\n") if line]


def with_field(field: str) -> Callable[[bytes], bytes]:
    """Add a field to the second object."""
    return lambda data: b"\n".join([data.split(b"\n")[0], data.split(b"\n")[1][:-1] + f", {field}}}\n".encode()])


NO_LINES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "list": (lambda data: json.dumps(listed(data)).encode(), "line 1: a list: one object a line"),
    "indented list": (lambda data: json.dumps(listed(data), indent=1).encode(), "line 1: a list: one object a line"),
    "list behind a mark": (
        lambda data: codecs.BOM_UTF8 + json.dumps(listed(data), indent=1).encode(),
        "line 1: a list: one object a line",
    ),
    "list of lines": (lambda data: b"[" + data.rstrip().replace(b"\n", b",\n") + b"]", "line 1: a list: one object"),
    "gzip of a list": (lambda data: gzip.compress(json.dumps(listed(data), indent=1).encode()), "line 1: a list"),
    "indented objects": (
        lambda data: b"\n".join(json.dumps(one, indent=1).encode() for one in listed(data)),
        "line 1: an object over several lines: one object a line",
    ),
    "objects broken at commas": (lambda data: data.replace(b", ", b",\n"), "line 1: an object over several lines"),
    "half a pair": (with_field(r'"x": "\ud83d"'), r"line 2: an escape of \\ud800 to \\udfff stands alone"),
    "the other half": (with_field(r'"x": ["\uDC09\uD83D"]'), "line 2: an escape of .* stands alone"),
    "half a pair in a key": (with_field(r'"\udfff": 1'), "line 2: an escape of .* stands alone"),
    "NaN": (with_field('"x": NaN'), "line 2: not JSON .NaN is no number"),
    "Infinity": (with_field('"x": {"y": [-Infinity]}'), "line 2: not JSON .-Infinity is no number"),
    "too large": (with_field('"x": 1e999'), "line 2: not JSON .1e999 is no number"),
    "too many digits": (with_field('"x": ' + "9" * 5000), "line 2: not JSON .*4,300"),
    "a key twice": (with_field('"x": 1, "x": 1'), "line 2: the key 'x' is given twice in one object"),
    "a key twice, once escaped": (with_field(r'"x": ":", "\u0078" : 2'), "line 2: the key 'x' is given twice"),
    "a key twice, further in": (with_field('"x": [{"y": 1, "z": {}, "y"\t: 2}]'), "line 2: the key 'y' is given twice"),
    "deep": (with_field('"x": ' + "[" * 100_000), "line 2: not JSON"),
    "cut": (lambda data: data[:-2] + b"\n", "line 2: not JSON"),
    "more behind": (lambda data: data[:-1] + b" {}\n", "line 2: not JSON"),
    "single quotes": (lambda data: data.replace(b'"', b"'"), "line 1: not JSON"),
    "an array": (lambda data: data + b"[1]\n", "line 3: .*(object|list)"),
}


@pytest.mark.parametrize(("change", "told"), NO_LINES.values(), ids=NO_LINES)
@OF_JSON
def test_what_is_no_object_a_line_is_refused_in_the_same_words(
    reader: Reader, change: Callable[[bytes], bytes], told: str, tmp_path: Path
) -> None:
    path = tmp_path / "file.data"
    path.write_bytes(change(reader.content(*TEXTS)))
    with pytest.raises(ValueError, match=rf"file\.data, {told}"):
        reader.read(path)


@OF_JSON
def test_what_only_looks_like_it_is_read(reader: Reader, tmp_path: Path) -> None:
    """Keys of different objects, texts that look like keys, whole pairs and escapes that are written out."""
    more = r'"x": [{"a": 1}, {"a": ": \"a\": "}], "a": ":", "b": "\ud83d\udc09 \\ud83d", "c": 1e308, "d": ' + "1" * 21
    path = tmp_path / "file.data"
    path.write_bytes(with_field(more)(reader.content(*TEXTS)))
    assert reader.read(path) == list(TEXTS)


@EVERY
def test_a_folder_and_nothing_are_said_to_be_so(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises((OSError, ValueError, RuntimeError), match=r"folder (is a folder: name|has no word vectors)"):
        reader.read(tmp_path / "folder")
    with pytest.raises((OSError, ValueError), match=r"there (is|are) no .*absent|absent does not exist: name"):
        reader.read(tmp_path / "absent")


@pytest.mark.parametrize("gold", [False, True])
@pytest.mark.parametrize("name", ["indented list", "list", "indented objects"])
def test_a_list_is_one_problem_and_not_one_a_line(name: str, gold: bool, tmp_path: Path) -> None:
    path, (change, _) = tmp_path / "file.data", NO_LINES[name]
    path.write_bytes(change(READERS["predictions"].content(*TEXTS)))
    with pytest.raises(ValueError, match="1 problem with the files:") as refused:
        right(path, gold=gold)
    assert str(refused.value).count("\n") == 1


@pytest.mark.parametrize("name", ["examples", "judgements", "settings", "word vectors"])
@pytest.mark.parametrize("data", [b"", b"\n \n", codecs.BOM_UTF8])
def test_an_empty_file_is_said_to_be_empty(name: str, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file.data"
    path.write_bytes(data)
    with pytest.raises((ValueError, RuntimeError), match=r"file\.data (is empty|has no judgements)"):
        READERS[name].read(path)


def test_vectors_of_words_keep_a_mark_that_is_part_of_a_word(tmp_path: Path) -> None:
    path = tmp_path / "vectors.txt"
    path.write_text("the 1\n\ufeffthe 2\n", encoding="utf-8")
    assert first_words(str(path), 2) == ["the", "\ufeffthe"]

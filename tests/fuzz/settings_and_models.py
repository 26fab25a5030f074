"""What goes wrong with configurations and with folders of models."""

from __future__ import annotations

import json
import random
import re

from tests.fuzz.mutations import ANY_FILE, Follows, Mutation

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"


def _value_as(values: list[str]) -> Mutation:
    """Give one setting of the file another value."""

    def make(whole: bytes, chance: random.Random) -> bytes:
        lines = whole.decode().splitlines()
        places = [place for place, line in enumerate(lines) if re.search(r": \S", line)]
        place = chance.choice(places)
        lines[place] = re.sub(r": .*", f": {chance.choice(values)}", lines[place], count=1)
        return ("\n".join(lines) + "\n").encode()

    return Mutation(f"a value: {', '.join(values)[:30]}", make)


def _set(setting: str, value: str) -> Mutation:
    """Refuse this value of this setting."""
    pattern = re.compile(rf"\b{setting}: [^,}}\n]*".encode())
    return Mutation(
        f"{setting}: {value}",
        lambda whole, _: pattern.sub(f"{setting}: {value}".encode(), whole) if pattern.search(whole) else None,
        Follows.REFUSED,
    )


def _key_twice(whole: bytes, chance: random.Random) -> bytes:
    lines = whole.splitlines()
    tops = [line for line in lines if re.match(rb"[a-z]+: \S", line)]
    return whole + chance.choice(tops) + b"\n"


def _unknown_key(whole: bytes, chance: random.Random) -> bytes:
    lines = whole.splitlines()
    places = [place for place, line in enumerate(lines) if re.match(rb" *[a-z]+:", line)]
    place = chance.choice(places)
    lines[place] = re.sub(rb"([a-z]+):", rb"\1q:", lines[place], count=1)
    return b"\n".join(lines) + b"\n"


YAML = (
    *(mutation for mutation in ANY_FILE if mutation.name not in {"UTF-16", "UTF-32", "lines in another order"}),
    Mutation("a key twice", _key_twice, Follows.REFUSED),
    Mutation("a key that is not known", _unknown_key),
    Mutation("a tab", lambda whole, _: whole.replace(b"\n  ", b"\n\t", 1), Follows.REFUSED),
    Mutation("two documents", lambda whole, _: whole + b"---\n" + whole, Follows.REFUSED),
    Mutation("a list", lambda whole, _: b"- " + whole.replace(b"\n", b"\n  "), Follows.REFUSED),
    Mutation("a word", lambda _whole, _: b"hello\n", Follows.REFUSED),
    Mutation(
        "aliases that explode",
        lambda whole, _: (
            whole
            + b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
            + b"".join(b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 12))
        ),
        Follows.REFUSED,
    ),
    _value_as(
        [
            "on",
            "null",
            "~",
            "7",
            "-1",
            "0",
            ".nan",
            ".inf",
            "[]",
            "{}",
            "''",
            "1e3",
            "2020-01-01",
            "!!python/name:os.system",
        ]
    ),
    _value_as(["'..'", "/", "'a/b'", "'[/INST]'", '"a\\0b"', "'" + "x" * 300 + "'", "manifest.json", "'\u0301'"]),
    *(_set("k", value) for value in ("0", "-1", "1.5", "yes", ".nan", "1e30")),
    *(_set("depth", value) for value in ("0", "-3", "many", ".inf")),
    *(_set("limit", value) for value in ("0", "-5", ".nan", "'1,000'")),
    *(_set("seed", value) for value in ("-1", "1.5", "x")),
    *(_set("words", value) for value in ("0", "-60")),
    _set("measure", "bleurt"),
    _set("name", "'..'"),
    _set("class_path", "os.system"),
    _set("class_path", "reml.retrievers.bm25.BM26"),
)


def _weights_changed(change: str) -> Mutation:
    def make(whole: bytes, _: random.Random) -> bytes:
        length = int.from_bytes(whole[:8], "little")
        header = json.loads(whole[8 : 8 + length])
        name = next(key for key in header if change in key)
        header[f"{name}_moved"] = header.pop(name)
        written = json.dumps(header).encode()
        return len(written).to_bytes(8, "little") + written + whole[8 + length :]

    return Mutation(f"weights without {change}", make, Follows.REFUSED)


ANY_MODEL_FILE = (
    Mutation("a pointer", lambda _whole, _: POINTER, Follows.REFUSED),
    Mutation("empty", lambda _whole, _: b"", Follows.REFUSED),
    Mutation("half", lambda whole, _: whole[: len(whole) // 2], Follows.REFUSED),
    Mutation("a page of HTML", lambda _whole, _: b"<!doctype html><html>404</html>", Follows.REFUSED),
)
WEIGHTS = (
    *ANY_MODEL_FILE,
    Mutation("a byte lost", lambda whole, _: whole[:-1], Follows.REFUSED),
    Mutation("a pickle", lambda _whole, _: b"\x80\x02}q\x00.", Follows.REFUSED),
    *(
        _weights_changed(part)
        for part in ("word_embeddings", "attention.self.query.weight", "LayerNorm.bias", "layer.1")
    ),
)


def _config_with(**changes: object) -> Mutation:
    return Mutation(
        f"config {changes}", lambda whole, _: json.dumps(json.loads(whole) | changes).encode(), Follows.REFUSED
    )


CONFIG = (
    *ANY_MODEL_FILE,
    _config_with(hidden_size=48),
    _config_with(num_hidden_layers=3),
    _config_with(num_hidden_layers=1),
    _config_with(vocab_size=100),
    _config_with(model_type="no_such_model"),
    _config_with(num_attention_heads=5),
    _config_with(max_position_embeddings=4),
    Mutation(
        "a flipped byte", lambda whole, chance: whole.replace(b":", b";", chance.randrange(1, 4)), Follows.REFUSED
    ),
)
TOKENIZER = (
    *ANY_MODEL_FILE,
    Mutation(
        "no vocabulary",
        lambda whole, _: json.dumps(
            json.loads(whole) | {"model": {"type": "WordLevel", "vocab": {}, "unk_token": "x"}}
        ).encode(),
        Follows.REFUSED,
    ),
    Mutation("a list", lambda _whole, _: b"[]", Follows.REFUSED),
)

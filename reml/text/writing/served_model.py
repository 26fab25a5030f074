"""A language model behind a URL: vLLM, llama.cpp, Ollama, a hosted one; whatever speaks as OpenAI's servers do.

Requests: /completions and /chat/completions below the URL, as https://platform.openai.com/docs/api-reference has them.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass, field
from typing import Any, ClassVar, Final, NamedTuple, cast, final
from urllib.parse import urlsplit

from reml.contract.access import Written
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count, Positive, Seed, Weight
from reml.contract.arguments.several import several
from reml.contract.examples import Json
from reml.devices.progress import working
from reml.files.atomic import digest, home
from reml.text.writing.asked import check_stops, most_tokens, pairs, to_blank_line, warn_of_cut
from reml.text.writing.kept_replies import kept_replies
from reml.text.writing.replies import UntoldError, read_likelihoods, read_text
from reml.text.writing.requests import Patience, RefusedError, opened
from reml.text.writing.spent import Spent

Body = dict[str, Json]
ROOM: Final = "replies"
_UNTOLD: Final = frozenset({400, 404, 405, 422, 501})
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]*")


class _Request(NamedTuple):
    """One request: where it goes, what is sent, as JSON, and where the text begins that is to be scored."""

    url: str
    body: str
    border: int = 0

    @property
    def key(self) -> str:
        """What its reply is kept by."""
        return hashlib.sha256(json.dumps(self).encode()).hexdigest()


@final
@checked()
@dataclass(frozen=True, eq=False)
class ServedModel:
    """A `Writer`, `Continuing` and `Likelihoods` at a server: asked once for each request, and then from the cache.

    url: what stands before /completions and /chat/completions, such as http://localhost:8000/v1. model: as the server
    calls it. key_variable: the environment variable that holds the key; nothing of it is written anywhere. max_tokens:
    of a text. chat: `write` puts a prompt as what a user says; else the model goes on from it, to a blank line.
    completions: whether the server has /completions, which `go_on` and `log_likelihoods` need; without it `go_on` says
    the prompt as a user. temperature, seed: 0 takes the likeliest tokens. options: more fields of each request, or
    others; null leaves a field out. concurrent: requests at once. timeout: seconds for a whole reply. tries: of each
    request, with waits between that begin with `wait` seconds and are doubled, or are as long as the server asks for.
    """

    beside: ClassVar[Sequence[str]] = ("key_variable", "concurrent", "timeout", "tries", "wait")

    url: str
    model: str
    _: KW_ONLY
    key_variable: str | None = None
    max_tokens: Count = 128
    chat: bool = True
    completions: bool = True
    temperature: Weight = 0.0
    seed: Seed = 0
    options: Mapping[str, Json] = field(default_factory=dict)
    concurrent: Count = 16
    timeout: Positive = 600.0
    tries: Count = 6
    wait: Positive = 1.0

    def __post_init__(self) -> None:
        _check_url(self.url)
        if self.key_variable is not None and not _VARIABLE.fullmatch(self.key_variable):
            raise ValueError(
                "key_variable must be the name of an environment variable that holds the key, in capitals, such as "
                "OPENAI_API_KEY; what is given is none, and is not shown, for it may be the key itself."
            )

    def write(self, prompts: Sequence[str]) -> list[str]:
        """Give one text for each prompt, in order; `ValueError` for what the server refuses, such as a long prompt.

        `ConnectionError` where the server does not answer as it should; what came before is kept.
        """
        put = self._chatting if self.chat else self._going_on
        written = self._texts([put(prompt, (), self.max_tokens) for prompt in several(prompts, "prompts")], ())
        warn_of_cut(self.model, written, self.max_tokens)
        return [one.text.strip() if self.chat else to_blank_line(one.text) for one in written]

    def go_on(
        self, prompts: Sequence[str], stops: Sequence[str] = (), *, max_tokens: int | None = None
    ) -> list[Written]:
        """Give what comes after each prompt, up to a stop; see `Continuing`. Errors are those of `write`.

        Which stop ended a text only some servers say (vLLM, SGLang); where one does not, `stop` is empty.
        """
        stops, most = check_stops(stops), most_tokens(max_tokens, self.max_tokens)
        put = self._going_on if self.completions else self._chatting
        return self._texts([put(prompt, stops, most) for prompt in several(prompts, "prompts")], stops)

    def log_likelihoods(self, prompts: Sequence[str], texts: Sequence[str]) -> list[tuple[float, ...]]:
        """Give log p of each token of each text after its prompt, as the server's tokeniser cuts both as one.

        `ValueError` where the server gives none of a prompt: it is asked to echo them, as vLLM does. Other errors are
        those of `write`.
        """
        if not self.completions:
            raise ValueError(self._untold("it is set to have no /completions"))
        asked = {self._scoring(*pair): pair for pair in pairs(prompts, texts) if pair[1]}
        try:
            found = self._replies(asked, lambda one, content: read_likelihoods(content, *asked[one]))
        except UntoldError as error:
            raise ValueError(self._untold(str(error))) from error
        except RefusedError as error:
            raise ValueError(self._untold(str(error)) if error.status in _UNTOLD else str(error)) from error
        scores = {pair: tuple(cast(list[float], found[one])) for one, pair in asked.items()}
        return [scores.get(pair, ()) for pair in pairs(prompts, texts)]

    @functools.cached_property
    def spent(self) -> Spent:
        """What was asked so far, in this process."""
        return Spent(f"{self.model} at {self.url}")

    def _texts(self, requests: Sequence[_Request], stops: Sequence[str]) -> list[Written]:
        fresh: dict[_Request, Written] = {}

        def read(request: _Request, content: bytes) -> Json:
            fresh[request] = read_text(content, stops)
            return asdict(fresh[request])

        found = self._replies(dict.fromkeys(requests), read)
        self.spent.add(
            len(fresh),
            len(requests) - len(fresh),
            sum(one.read for one in fresh.values()),
            sum(one.wrote for one in fresh.values()),
        )
        return [Written(**cast(Any, found[one])) for one in requests]

    def _replies(
        self, requests: Mapping[_Request, object], read: Callable[[_Request, bytes], Json]
    ) -> dict[_Request, Json]:
        """Give the reply of each request, from the cache where it is there; what comes is kept at once."""
        keys = {one: one.key for one in requests}
        log = kept_replies(home() / ROOM / digest(self.url, self.model))
        kept = log.find(set(keys.values()))
        found = {one: kept[key] for one, key in keys.items() if key in kept}
        lacking = {one: (one.url, one.body) for one in requests if one not in found}
        with working("ask", len(keys), "texts", len(found)) as work:
            if lacking:
                with opened(self._key(), Patience(self.tries, self.wait, self.timeout), self.concurrent) as server:
                    for one, reply in server.replies(lacking, read):
                        log.add(keys[one], reply)
                        found[one] = reply
                        work.advance(1)
        return found

    def _chatting(self, prompt: str, stops: Sequence[str], most: int) -> _Request:
        said: Json = [{"role": "user", "content": prompt}]
        return self._request("chat/completions", {"messages": said, **self._text_settings(stops, most)})

    def _going_on(self, prompt: str, stops: Sequence[str], most: int) -> _Request:
        return self._request("completions", {"prompt": prompt, **self._text_settings(stops, most)})

    def _scoring(self, prompt: str, text: str) -> _Request:
        # One token more, since some servers take none for as many as they like.
        echo: Body = {"max_tokens": 1, "temperature": 0, "echo": True, "logprobs": 1}
        return self._request("completions", {"prompt": prompt + text, **echo}, len(prompt))

    def _text_settings(self, stops: Sequence[str], most: int) -> Body:
        drawn: Body = {"seed": self.seed} if self.temperature else {}
        return {"max_tokens": most, "temperature": self.temperature, **drawn, **({"stop": [*stops]} if stops else {})}

    def _request(self, path: str, body: Body, border: int = 0) -> _Request:
        fields: Body = {"model": self.model, **body, **self.options}
        whole = {name: value for name, value in fields.items() if value is not None}
        return _Request(f"{self.url.rstrip('/')}/{path}", json.dumps(whole, sort_keys=True), border)

    def _key(self) -> str:
        """Read the key; it is never shown, whatever is wrong with it."""
        if self.key_variable is None:
            return ""
        key = os.environ.get(self.key_variable, "").strip()
        if not key:
            raise ValueError(
                f"the environment variable {self.key_variable} is not set: put the key of {self.url} there."
            )
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError(f"{self.key_variable} holds no key: there are blanks, or letters that no header takes.")
        return key

    def _untold(self, why: str) -> str:
        return (
            f"{self.model} at {self.url} gives no log-probabilities of a prompt ({why}). log_likelihoods needs a "
            "server that echoes them by /completions, as vLLM does, or a local model (ModelWriter)."
        )


def _check_url(url: str) -> None:
    """Raise `ValueError` for what is no plain address; one that may hold a password or key is not shown."""
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError(
            "url has a user name, a password, ? or # in it, and is not shown, for it may hold a key. Give the address "
            "alone, and the name of the environment variable that holds the key as `key_variable`."
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or " " in url:
        raise ValueError(f"url is {url!r}, but must begin with http:// or https://, such as http://localhost:8000/v1.")

"""What an OpenAI-compatible server replies, read strictly: a text with its tokens, or log-probabilities of a prompt.

Fields that servers add are passed over. A reply that is no JSON may have broken off and is asked for again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from reml.contract.access import Written
from reml.text.writing.asked import cut_at_stop
from reml.text.writing.requests import MisfitError, PassingError

# As OpenAI, vLLM, llama.cpp, Ollama and TGI call the end of a text, and a cut.
_WHOLE: Final = frozenset({"stop", "eos", "eos_token", "stop_sequence"})
_CUT: Final = frozenset({"length", "content_filter"})


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    """One text. stop_reason (vLLM), matched_stop (SGLang): the stop that ended it, or a token's number."""

    text: str | None = None
    message: _Message | None = None
    finish_reason: str | None = None
    stop_reason: str | int | None = None
    matched_stop: str | int | None = None
    logprobs: msgspec.Raw = msgspec.Raw(b"null")


class _Reply(msgspec.Struct):
    choices: list[_Choice]
    usage: _Usage | None = None


class _Echo(msgspec.Struct):
    """Tokens of prompt and text. text_offset: where each begins, in characters."""

    tokens: list[str]
    token_logprobs: list[float | None]
    text_offset: list[int]


def read_text(content: bytes, stops: Sequence[str]) -> Written:
    """Read a text; `PassingError` for one that broke off, `MisfitError` for what is no such reply."""
    reply, choice = _first(content)
    if choice.text is None and choice.message is None:
        raise MisfitError("the first of its choices has neither `text` nor `message`")
    if choice.finish_reason not in _WHOLE | _CUT:
        raise PassingError("the answer ended early (by its finish_reason)")
    said = choice.text if choice.message is None else choice.message.content
    text, stop = cut_at_stop(said or "", stops)
    told = next((one for one in (choice.stop_reason, choice.matched_stop) if isinstance(one, str)), "")
    usage = reply.usage or _Usage()
    return Written(
        text,
        stop or (told if told in stops else ""),
        bool(stop) or choice.finish_reason in _WHOLE,
        usage.prompt_tokens or 0,
        usage.completion_tokens or 0,
    )


def read_likelihoods(content: bytes, prompt: str, text: str) -> list[float]:
    """Read log p of each token of a text, from the echo of prompt and text; a token across the border is the text's.

    `UntoldError` where the server says none, or not of which letters they are.
    """
    reply, choice = _first(content)
    try:
        echo = msgspec.json.decode(choice.logprobs, type=_Echo)
    except msgspec.DecodeError as error:
        raise UntoldError("its answer has no `logprobs` with tokens, token_logprobs and text_offset") from error
    count = (reply.usage.prompt_tokens if reply.usage else None) or len(echo.tokens) - 1
    if not len(echo.tokens) == len(echo.token_logprobs) == len(echo.text_offset) >= count:
        raise UntoldError(f"it echoes {len(echo.tokens)} tokens of {count}")
    ends = _ends(echo, count, prompt + text)
    scores = [score for score, end in zip(echo.token_logprobs, ends, strict=False) if end > len(prompt)]
    if None in scores:
        raise ValueError(f"nothing stands before the text {text[:80]!r}: give a prompt for it to come after.")
    return [score for score in scores if score is not None]


class UntoldError(ValueError):
    """A server does not say how likely the tokens of a prompt are."""


def _first(content: bytes) -> tuple[_Reply, _Choice]:
    try:
        reply = msgspec.json.decode(content, type=_Reply)
    except msgspec.ValidationError as error:
        raise MisfitError(f"its answer does not fit ({error})") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PassingError(f"the answer is no JSON ({error})") from error
    if not reply.choices:
        raise MisfitError("its answer has no choices")
    return reply, reply.choices[0]


def _ends(echo: _Echo, count: int, whole: str) -> list[int]:
    """Give where each token of the prompt and text ends, in characters; a token that begins all is no part of it."""
    starts = [*echo.text_offset[:count], *echo.text_offset[count : count + 1]]
    if len(starts) == count:  # nothing was written behind
        starts.append(starts[-1] + len(echo.tokens[-1]))
    if not whole.startswith(echo.tokens[0]) and count > 1:
        starts = [start - starts[1] for start in starts]
    if starts[-1] != len(whole):
        raise UntoldError(f"its text_offset counts {starts[-1]} characters where there are {len(whole)}")
    return starts[1:]

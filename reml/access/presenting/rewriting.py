"""Items that a language model writes anew: so that each stands alone, or in another language.

Choi et al., "Decontextualization: Making Sentences Stand-Alone", TACL 2021, https://arxiv.org/abs/2102.05169: a text is
rewritten so that it says the same without what stood around it. Deviation: a language model as it comes is told to,
with the title of the page as all of the context; the paper trains a T5 on marked rewritings.

Published: a trained T5 comes near to people. Here: not measured; SmolLM2-135M-Instruct repeats its prompt or adds what
no page says ("The cold and dry Oslo is a harsh and unforgiving place."): name a larger model.

What a model wrote is no part of the page, and need not be true. The item keeps its row, its page and the span of what
it was made of: that is where a reader looks it up, not what it says. Put such a processor last, behind those that cut.
"""

from __future__ import annotations

import logging
import string
from collections.abc import Callable, Sequence
from dataclasses import replace

from reml.access.presenting.processors import with_items
from reml.contract.access import Writer
from reml.contract.arguments.checked import checked
from reml.contract.examples import Item
from reml.contract.retrieved import Queries, Responses

_LOG = logging.getLogger(__name__)
ALONE = (
    "Here is a part of the page {title}: {text}\n\nRewrite this part so that it can be understood without the page: "
    "put names in the place of pronouns, and add or leave out nothing else. Write the new text alone."
)
TRANSLATION = "Translate into {language}. Write the translation alone.\n\n{text}"


@checked()
class Decontextualise:
    """Rewrites each item so that it stands alone. prompt: has {text}, and may have {title}.

    Each text is written once, whatever list it stands in. An item of which nothing is written stays as it is.
    """

    def __init__(self, writer: Writer, prompt: str = ALONE) -> None:
        check_prompt(prompt, ("title", "text"))
        self.writer, self.prompt = writer, prompt

    def __call__(self, queries: Queries, responses: Responses) -> Responses:  # noqa: ARG002
        """Change the texts of the items; all else stays."""
        return _rewritten(responses, self.writer, lambda item: self.prompt.format(title=item.title, text=item.text))


@checked()
class Translate:
    """Writes the text of each item in a language, named as the writer is to be told; titles stay as they are.

    prompt: has {text} and {language}. Each text is written once, whatever list it stands in. An item of which nothing
    is written stays as it is.
    """

    def __init__(self, writer: Writer, language: str, prompt: str = TRANSLATION) -> None:
        check_prompt(prompt, ("language", "text"))
        if not language.strip():
            raise ValueError("Translate writes in a language, and none is named: give one, such as 'English'.")
        self.writer, self.language, self.prompt = writer, language, prompt

    def __call__(self, queries: Queries, responses: Responses) -> Responses:  # noqa: ARG002
        """Change the texts of the items; all else stays."""
        return _rewritten(
            responses, self.writer, lambda item: self.prompt.format(language=self.language, text=item.text)
        )


def check_prompt(prompt: str, names: Sequence[str]) -> None:
    """Raise `ValueError` for a prompt without a place for the text, or with places for what is not given."""
    try:
        places = {name for _, name, _, _ in string.Formatter().parse(prompt) if name is not None}
    except ValueError as error:
        raise ValueError(f"the prompt {prompt!r} cannot be filled in: {error}. Write {{{{ for a brace.") from error
    if "text" not in places or not places <= set(names):
        given = ", ".join(f"{{{name}}}" for name in sorted(places)) or "nothing"
        allowed = ", ".join(f"{{{name}}}" for name in names)
        raise ValueError(f"the prompt has places for {given}: it must have {{text}}, and may have {allowed}.")


def written(writer: Writer, prompts: Sequence[str]) -> list[str]:
    """Let texts be written, in one line each; `ValueError` for a writer that does not give one for each prompt."""
    return [" ".join(text.split()) for text in texts_of_writer(writer, prompts)]


def texts_of_writer(writer: Writer, prompts: Sequence[str]) -> list[str]:
    """Let texts be written, as they come; `ValueError` for a writer that does not give one for each prompt."""
    texts = writer.write(prompts) if prompts else []
    if len(texts) != len(prompts) or not all(isinstance(text, str) for text in texts):
        raise ValueError(
            f"{type(writer).__name__} wrote {len(texts)} texts for {len(prompts)} prompts: it must give one for each."
        )
    return texts


def _rewritten(responses: Responses, writer: Writer, prompt: Callable[[Item], str]) -> Responses:
    asked = dict.fromkeys(prompt(item) for items in responses.items for item in items if item.text.strip())
    texts = dict(zip(asked, written(writer, list(asked)), strict=True))
    silent = sum(not text for text in texts.values())
    if silent:
        _LOG.warning(
            "%s wrote nothing of %d of %d texts: these stay as they are.", type(writer).__name__, silent, len(texts)
        )
    return with_items(
        responses,
        [[replace(item, text=texts.get(prompt(item)) or item.text) for item in items] for items in responses.items],
    )

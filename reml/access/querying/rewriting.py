"""Queries that a language model writes: the input rewritten, or parted into simpler questions.

Ma et al., "Query Rewriting for Retrieval-Augmented Large Language Models" (Rewrite-Retrieve-Read), EMNLP 2023,
https://arxiv.org/abs/2305.14283: a query for a search engine is written first. Press et al., "Measuring and Narrowing
the Compositionality Gap in Language Models" (Self-Ask), EMNLP 2023 Findings, https://arxiv.org/abs/2210.03350, and Zhou
et al., "Least-to-Most Prompting", ICLR 2023, https://arxiv.org/abs/2205.10625: a question is parted into simpler ones.

Deviations: the model is told to without examples of how, and nothing is learnt (Rewrite-Retrieve-Read also trains a
small rewriter by the reader's reward); all parts are asked at once and their lists fused by the access model, where
both of the latter answer each part before the next one: for that see `reml.predictors.agents`.

Numbers: not run on the data of the papers.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence

import numpy as np

from reml.access.presenting.rewriting import check_prompt, texts_of_writer
from reml.contract.access import Writer
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.examples import Example
from reml.contract.retrieved import Queries

_LOG = logging.getLogger(__name__)
REWRITE = (
    "Write the best query for a search engine to find what answers this question. Write the query alone.\n\n{text}"
)
DECOMPOSE = (
    "Part this question into the simpler questions that have to be answered first, each on a line of its own. Write "
    "these questions alone.\n\n{text}"
)
_MARKER = re.compile(r"^\s*(?:[-*\u2022]|\(?\d{1,2}[.):])\s+")
_QUOTES = "\"'\u201c\u201d`"


@checked()
class RewrittenQuery:
    """Asks with what a writer makes of the input, in one line. prompt: has {text}.

    Each input is written of once. Where nothing is written the input is the query, with a warning.
    """

    def __init__(self, writer: Writer, prompt: str = REWRITE) -> None:
        check_prompt(prompt, ("text",))
        self.writer, self.prompt = writer, prompt

    def __call__(self, examples: Sequence[Example]) -> Queries:
        """Make one query for each example."""
        return _queries(examples, self.writer, self.prompt, lambda text: _distinct([" ".join(text.split())])[:1])


@checked()
class DecomposedQuery:
    """Asks with the lines that a writer makes of the input, at most `most` of them, whose lists are fused.

    prompt: has {text}. Each input is written of once. Marks of a list and quotes around a line are left out, and so are
    lines that are blank or repeated. Where nothing is left the input is the query, with a warning.
    """

    def __init__(self, writer: Writer, prompt: str = DECOMPOSE, *, most: Count = 4) -> None:
        check_prompt(prompt, ("text",))
        self.writer, self.prompt, self.most = writer, prompt, most

    def __call__(self, examples: Sequence[Example]) -> Queries:
        """Make one query for each line."""
        return _queries(examples, self.writer, self.prompt, lambda text: _distinct(text.splitlines())[: self.most])


def _queries(examples: Sequence[Example], writer: Writer, prompt: str, read: Callable[[str], Sequence[str]]) -> Queries:
    """Let queries be written of each distinct input; `ValueError` for a writer that does not give one for each.

    What has no text, but media, asks with these.
    """
    asked = list(dict.fromkeys(example.input for example in examples if example.input.strip()))
    texts = texts_of_writer(writer, [prompt.format(text=text) for text in asked])
    written = {text: read(said) for text, said in zip(asked, texts, strict=True)}
    silent = sum(not lines for lines in written.values())
    if silent:
        _LOG.warning(
            "%s wrote no query for %d of %d inputs: these ask as they are.", type(writer).__name__, silent, len(written)
        )
    own = [written.get(one.input) or Queries.of_inputs([one]).contents for one in examples]
    owners = np.repeat(np.arange(len(own), dtype=np.int64), [len(contents) for contents in own])
    return Queries(owners, tuple(content for contents in own for content in contents))


def _distinct(lines: Sequence[str]) -> list[str]:
    """Give lines without marks of a list, quotes and repetitions, whatever the case; none that is blank."""
    first: dict[str, str] = {}
    for line in lines:
        bare = _MARKER.sub("", line).strip().strip(_QUOTES).strip()
        first.setdefault(bare.casefold(), bare)
    return list(filter(None, first.values()))

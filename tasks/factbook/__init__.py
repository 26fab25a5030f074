"""The embedded default task: the World Factbook's pages and six kinds of tasks made of them."""

from reml.tasks.factbook.task import Factbook

__all__ = ["Factbook"]

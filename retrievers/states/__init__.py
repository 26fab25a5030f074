"""States: a datastore of the states of a language model, each with the token that came next, as kNN-LM keeps it.

states: the settings a configuration names; positions: the collection of token positions; retriever: what finds them.
"""

from reml.retrievers.states.states import States

__all__ = ["States"]

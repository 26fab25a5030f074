"""States: a datastore of the states of a language model, each with the token that came next, as kNN-LM keeps it.

states: the settings a configuration names; positions: the collection of token positions; retriever: what finds them.

positions  The rows of a datastore: token positions of the items of another collection, with numbers beside them
retriever  Finds token positions by the distance of states
states     A datastore of states: every token of a text, found by the state of the language model before it
"""

from reml.retrievers.states.states import States

__all__ = ["States"]

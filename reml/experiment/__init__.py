"""Experiments: what one is, its plan, how it is run and what is published of it."""

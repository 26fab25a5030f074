"""Mutated inputs through the command line: no traceback, no hang, no wrong data accepted without a word."""

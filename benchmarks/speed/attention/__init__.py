"""Separable self-attention against the standard one, by the length of a text.

lengths  Time and memory of three ways to attend, each at each length in a process of its own, and lines through them
"""

"""Agents: predictors that ask several times, with queries that they write themselves.

grpo        Learning from the rewards of a group: advantages, the loss of own tokens, what items were worth
policies    Who writes: any language model, or a causal model here that learns
rolling     The loop: write, ask, read, until it answers; its budget
search_r1   Search-R1
tags        The tags, and what a text does
transcript  What one example was given and wrote
"""

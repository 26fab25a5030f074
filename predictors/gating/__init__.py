"""Gating: when not to ask.

confidence    How sure an answer without retrieval is
threshold     How sure an answer has to be, chosen for a budget of asks
"""

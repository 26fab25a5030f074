"""Gating: when not to ask.

confidence    How sure an answer without retrieval is
some_of       A batch for some of its examples alone
threshold     How sure an answer has to be, chosen for a budget of asks
"""

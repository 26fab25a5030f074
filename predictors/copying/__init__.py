"""Copying words of what was read into the answer."""

"""Copying words of what was read into the answer.

copy_decoder  A small decoder that reads encoder states and may copy their tokens
copy_target   What a copying decoder learns to say: the tokens of an answer, each with its case, and an end
quoting       From decoded tokens back to the exact words: copied tokens are cut from the text
"""

"""Language models that write: what all are asked, how a local one stops and draws, and any that is served at a URL.

asked         What any language model is asked, looked at first, and what is made of its texts
drawn_tokens  Sampling by noise that hangs on the prompt alone
stopping      How a local model ends a text at a stop
"""

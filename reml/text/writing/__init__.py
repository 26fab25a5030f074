"""Language models that write: what all are asked, how a local one stops and draws, and any that is served at a URL.

asked         What any language model is asked, looked at first, and what is made of its texts
drawn_tokens  Sampling by noise that hangs on the prompt alone
kept_replies  Replies of a server that were paid for once
replies       What an OpenAI-compatible server replies, read strictly
requests      Requests to a server, many at once
served_model  A language model behind a URL
spent         What a served model costs: tokens, as its server counts them
stopping      How a local model ends a text at a stop
"""

"""The access model g: query, expand, search, process, cut, as one chain; and what a predictor may ask and write.

composed_access     Access models without a search of their own: fused rankings, what was found before
encoded_retriever   A retriever is an encoder and an index over a collection
filtering           Searching with a filter: rows that a query may not find, or the only ones that it may
indexing            Making a retriever of an encoder and an index over a collection, on disk
information_access  The information access model g: query, expand, search, process, cut; optionally store
joint_session       Sessions made of others: one over several groups of examples, and what some examples see of one
limits              How much an access model searches for, hands over, and how often it may be asked
query_side          An encoder of which only the query side learns: items keep the vectors they have
query_states        Queries that are states from the start, as an index takes them
rank_fusion         Reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009)
responses           Hits -> Responses: the items behind the rows, fetched when they are looked at
session             The session of an access model: what one batch of examples asks of it and writes, on record
similarity          What an encoder makes of queries and items, compared
steps               What each step of an access model takes: its search, and every processor after it
trajectory          What one batch asked, seen by example: made of what its sessions have on record, so
"""

"""Comparisons of access models over tasks and seeds, for `reml study` and `reml benchmark kilt` alike.

`conditions` are ways to train a retriever beside their controls; `matrix` holds the cells, one a task, access model and
seed, and `running` fills it; `averages` are over seeds; `comparisons` test differences; `costs` are what cells took.
"""

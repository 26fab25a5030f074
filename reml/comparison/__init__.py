"""Comparisons of access models over tasks and seeds, for `reml study` and `reml benchmark kilt` alike.

`conditions` are ways to train a retriever beside their controls; `matrix` holds the cells, one a task, access model and
seed, and `running` fills it; `averages` are over seeds; `comparisons` test differences; `costs` are what cells took.
`runs/` compares whole runs that were kept, for `reml runs` and `reml compare`.

averages     The figures of a system on a task: means over seeds, and how far they can be trusted
comparisons  Whether systems differ: every two of them, or each way to train one, its controls and the other ways
conditions   Ways to train a retriever, each an access model of an experiment, and the controls
matrix       The matrix task x access model x seed: every cell's scores and costs
running      Fills a matrix by running an experiment under every seed
"""

"""What is learnt from: examples with what was retrieved for them, and in which order they come.

answered            Which examples can be learnt from: a predictor needs a right answer
curriculum          Groups of a teacher's list whose order a retriever learns, from coarse to fine, as in CL-DRD
negatives           Wrong items beside labels: which of a list are as good as right, so
neighbours          Batches of neighbours: in-batch negatives are hard where the examples of a batch are near
pseudo_queries      Queries made from the items of a collection, so that a teacher reaches all of it
ranked_examples     What a retriever is taught on: for each example a few items and how useful each is
relevance_sampling  Which examples can be learnt from: those of which the evidence was retrieved
rounds              Rounds of training a retriever: each goes on from the weights of the one before, on lists
samplers            In which order examples are learnt from: a function of the seed and the epoch, so
sets                What training reads: examples of one task or several, with what was retrieved for each
task_prefix         The name of its task in front of an input, so
"""

"""Feedback from predictor to retriever: one file an objective.

adist                 `adist`: attention distillation, the retriever imitates where the predictor looked
cldrd                 `cldrd`: pairs of items are ordered as a teacher orders them
combined              Several objectives at once, each with a weight
contrastive           `contrastive`: a relevant item should score higher than all that are not
distributions         Distributions over the items of each example: masked, checked
emdr2                 `emdr2`: end-to-end training of multi-document reader and retriever
expected_utility      `expected_utility`: the utility to expect of the answer, over lists of items drawn
kl_distillation       `kl_distillation`: the retriever imitates the ranking of a teacher
lambda_loss           `lambda_loss`: pairs of items are ordered as gains order them, weighted by what nDCG loses
loop                  `loop`: leave one out, the retriever ranks items by how much worse the answer becomes
margin_mse            `margin_mse`: the retriever learns by how much a teacher prefers one item to another
marginal              `marginal`: the answer's likelihood summed over the items that could have been retrieved
marginal_token        `marginal_token`: each token of the answer may come from another item
pairs                 What objectives on pairs of items share: differences, which pairs are ordered, ranks
pdist                 `pdist`: perplexity distillation
rank_net              `rank_net`: the better item of a pair should score higher, by a logistic loss
records               Feedback kept on disk: what a predictor found useful, for learning later, also by engines
reinforce             `reinforce`: the retriever is rewarded for items that let the predictor say the answer
score_mse             `score_mse`: the retriever's score of each item is to be the teacher's
shuffled              `shuffled`: a control, any objective
tempered              What objectives share that divide retrieval scores by a temperature: checks, once for all
utility_distillation  `utility_distillation`: the downstream measure
weak_supervision      `rank` and `rank_prob`: pairs of items are ordered as a teacher's scores, or labels
"""

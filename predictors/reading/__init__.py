"""Reading: from examples and their items to the token ids a model takes, and likelihoods of answers.

encoder_decoders  What every predictor over an encoder-decoder does alike: frame, targets, likelihoods
encoding       Encoding inputs with a pretrained bidirectional encoder, and which of its layers are trained
kept_outputs   Outputs that are kept for some steps, and taken by turns
leave_one_out  Likelihoods without each item: the inputs are encoded once
likelihood     Likelihoods that were computed for each input, laid out as a `Prediction` has them
lists          Reading lists that were drawn: how likely outputs are given the items of a list, all at once
masked         A masked language model: inputs with as many masks as an answer has tokens
pair_builder   Examples and responses -> inputs: tokenises questions, takes the tokens of items
pairs          Inputs that hold a question and one retrieved item, each encoded on its own
places         Where the pairs of a batch stand: each is one example with one of its items, or with none
pointers       Source pointers: an output says which of the items that were read its text comes from
prompts        Prompts of a language model: items, best first, before a question
right_answers  The right answers that a predictor learns to give
sampling       Outputs of a predictor and their likelihood given each item, for objectives
spans          Spans of inputs: where some stand, how likely they are, and the best of each input
"""

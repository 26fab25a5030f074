"""Reading token states that a frozen encoder made once: what of an item does not depend on the question.

asking        Asking again: a span of what was found first is put before the question, and both are searched for
late_network  From frozen states of a question and an item to logits of spans, of the item and of templates
nearest       The span of a text that comes nearest to an answer which no pattern gives
sheets        A batch as it is read: states of items beside those of their questions, padded
templates     Patterns of answers with places for a title and a span, learnt from the answers that are right
ways          The ways in which right answers come out of items: by a template, and a place where its span stands
"""

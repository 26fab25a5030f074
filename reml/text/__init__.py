"""From text to terms and tokens, with the kernels that do it fast, and to the states of a language model.

analysis        From text to terms: words in lower case, stop words, a Snowball stemmer
chunks          Chunks of a text's tokens: what RETRO retrieves by, and what it retrieves
count_kernel    A kernel that counts how often each number stands in each of many short lists
frozen_states   Token states of texts by a frozen encoder, made once and kept in a folder that all of a home share
language_model  A causal language model that tells, beside what comes next
model_writer    A causal language model that writes what a prompt asks for
sentences       Where sentences end, by one rule for all scripts and no model of any language
state_encoder   Texts as the states of a language model: a query at its last token, an item at every token
token_table     Token ids of every item of a collection, computed once and mapped into memory
unfound         Why a query found nothing
word_kernel     Finds the words of texts, as `words` says what they are, and numbers them at speed
words           What a word is, in any script: the one place where texts are cut into words
"""

"""From text to terms and tokens, with the kernels that do it fast.

analysis      From text to terms: lower case, a token pattern, stop words, a Snowball stemmer
count_kernel  A kernel that counts how often each number stands in each of many short lists
token_table   Token ids of every item of a collection, computed once and mapped into memory
word_kernel   Finds the words of texts, as the regular expression `WORDS` does, and numbers them
"""

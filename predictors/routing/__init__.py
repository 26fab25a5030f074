"""Routing: choosing, by the question alone, which access model is asked, or that none is.

choosing   Losses that train a choice by the utilities of all that could have been chosen
confusion  What was chosen against what would have been best, as a table
features   What of a question tells which access model serves it: its vector, its form, its length
utilities  How much better an answer is for what an access model found: from the predictor, a measure, or records
"""

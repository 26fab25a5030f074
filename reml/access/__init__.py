"""The access model g: query, expand, search, process, cut, as one chain; and what a predictor may ask and write."""

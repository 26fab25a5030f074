"""KILT measures, run files, reports.

answer_recall    Whether a passage has a right answer, as DPR counts it
answers          Measures of a predicted answer against the right ones, as KILT computes them
cases            What became of each example of a run: was the evidence retrieved, was the answer right, and
context          Whether the text of the provenance holds the answer or names a right page, as KILT computes it
judgement_lines  Lines of KILT files straight to right answers and predictions: only the fields
judgements       What evaluation needs of a right answer and of a prediction, and nothing more
kilt             KILT's measures of predictions against right answers, for each example and on average
kilt_files       KILT files of right answers and predictions, scored as a stream, with everything
meeting          Ids of two files that should meet and do not, because each writes them in a way of its own
passages         Measures of the passages that were retrieved, beside KILT's of their pages
problems         Whatever is wrong with files, collected so that it can be told at once; files of another kind
ranked           nDCG, reciprocal rank and their like, computed by ir-measures from TREC files
ranking          Measures of the pages that a prediction gives as provenance, as KILT computes them
rouge            ROUGE-L as the package `rouge` 1.0.1 computes it, which is the one KILT's scores are made with
significance     Whether two systems differ on the same examples: intervals, tests
trec             TREC's run and relevance files at page level, for trec_eval, ir-measures and their like
"""

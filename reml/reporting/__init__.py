"""What was measured, shown: the report of a result folder, and what every page and table is made with.

`report` fills `report.html` from a result folder (`result_folder` reads it, `report_cases` and `report_origin` lay out
its parts); `page` fills Jinja2 templates, those in `templates/` and those beside other code, into one file that asks
nothing of any server; `plots` draws lines as SVG; `table` is one value shown in the terminal, on a page and as CSV;
`terminal` prints it without cut cells.

amounts        Seconds and bytes as a person would say them
cost_table     What an experiment cost, part by part, as a table for the terminal and the report
figure_tables  Tables of figures by task: a row for each system, with intervals and what it is better than
figures        The figures of a result folder, read back: of predictions, and of what access models found
frontier       What effectiveness costs: milliseconds a question against nDCG@10, a point an access model
page           A page that is one file: its style is inside, and it asks nothing of any server
plots          Line plots as inline SVG, drawn by hand: no library, no script, readable in light and dark and
report         `report.html` of a result folder: one file that needs nothing else, to read, to print and to send
report_cases   The examples of a report: question, passages with the answer marked, prediction
report_origin  Where a report's figures come from: stages and their costs, versions, checksums
result_folder  A result folder read back for its report
step_table     What each step of access models took, as a table: a cascade's costs, by stage
summary        The tables an experiment ends with in the terminal, one a task
table          A table of texts with three renderings: the terminal's, a page's and CSV
terminal       What is printed in the terminal: as it stands, since names may hold square brackets, and
"""

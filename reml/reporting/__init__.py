"""What was measured, shown: the report of a result folder, and what every page and table is made with.

`report` fills `report.html` from a result folder (`result_folder` reads it, `report_cases` and `report_origin` lay out
its parts); `page` fills Jinja2 templates, those in `templates/` and those beside other code, into one file that asks
nothing of any server; `plots` draws lines as SVG; `table` is one value shown in the terminal, on a page and as CSV;
`terminal` prints it without cut cells.
"""

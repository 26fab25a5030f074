"""The command on a study: `reml study`."""

from __future__ import annotations

from reml.cli.loading import Given, console
from reml.reporting.terminal import print_table, say
from reml.study.plan import Study, with_conditions


def compare(given: Given, study: Study) -> None:
    """Compare feedback objectives over learners and seeds, beside their controls.

    One that was stopped goes on; one that is done is shown.

    Args:
        given: the experiment.
        study: what is compared, the part `study` of the YAML file.
    """
    from reml.comparison.running import run_matrix
    from reml.study.cells import taught_cells
    from reml.study.result import write_result

    conditions = study.conditions()
    runners = [given.over("--seed", str(seed)).runner(with_conditions) for seed in study.seeds]
    matrix = run_matrix(runners, [condition.access for condition in conditions], taught_cells)
    folder, tables = write_result(runners, conditions, matrix)
    for table in tables:
        if table.rows:
            print_table(console, table)
    say(console, f"results: {folder}")
    say(console, f"report:  {folder / 'report.html'}")

"""The command line: `reml COMMAND [options]`. Each command is a typed function; jsonargparse reads its signature."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # spinning threads collapse where cores are shared
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

USAGE = """usage: reml COMMAND [--config FILE.yaml] [options]

Retrieval-enhanced machine learning: y = f(x; g_1, ..., g_N).

Commands of an experiment (a YAML file; see benchmarks/configs/):
  run        prepare, index, train, predict and evaluate, as far as not done yet; ends with a table and a report
  prepare    bring the knowledge sources of its tasks into collections of passages
  index      build the indexes of its access models
  search     ask one of its access models: one query, or a prompt for many
  train      train its predictor
  predict    write its predictions in KILT's format

Commands on files:
  prepare kilt   fetch KILT's datasets and pages, and say how much of the gold provenance the pages have
  evaluate   score any KILT predictions against any KILT gold file
  measure    score a TREC run: nDCG, reciprocal rank and their like
  report     write report.html for a result folder
  submit     write and check the archive for KILT's leaderboard

Studies (a YAML file of an experiment and what is compared in it; see benchmarks/configs/feedback.yaml):
  study      compare feedback objectives over learners and seeds, beside their controls

Benchmarks:
  benchmark kilt    task x access model x seed: means, intervals, tests, costs, beside published results
  benchmark speed   compare the indexes of reml with their peers: time, memory, disk, recall
  benchmark ingest  bring a knowledge source like KILT's into a collection: rate, memory, growth, a kill survived

`reml COMMAND --help` shows the options of a command, `reml run --config FILE --print_config` all settings of an
experiment. Any setting can be given on the command line: `--training.batch_size 8`, `--predictor.init_args.layers 4`.
What you make is kept in REML_HOME (default ~/.cache/reml).
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; give the exit status: 0, or 2 with one line on what is wrong and what to do."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in {"-h", "--help"}:
        sys.stdout.write(USAGE)
        return 0
    if given[0] == "--version":
        from reml import __version__

        sys.stdout.write(f"reml {__version__}\n")
        return 0
    sys.path.insert(0, str(Path.cwd()))  # so that a configuration can name classes in files beside it
    from reml.cli.dispatch import execute

    return execute(given[0], given[1:])


if __name__ == "__main__":
    sys.exit(main())

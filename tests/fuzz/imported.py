"""Imported by the process that others are forked from; it opens no file and starts no thread."""

import pytorch_lightning
import transformers

import reml.cli.dispatch
import reml.cli.evaluation_commands
import reml.cli.experiment_commands
import reml.evaluation.ranked
import reml.experiment.runner
import reml.retrievers.bm25
import reml.retrievers.dense
import reml.tasks.jsonl

__all__ = ["pytorch_lightning", "reml", "transformers"]

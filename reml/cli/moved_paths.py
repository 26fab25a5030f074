"""Where classes that a configuration names have gone: by the path they had before, the one they have now."""

from __future__ import annotations

from collections.abc import Mapping

# The part of both paths before the name, and the names.
_ROOMS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("reml.knowledge", "reml.collection.sources"): ("JsonlPages",),
    ("reml.corpora", "reml.collection.sources"): ("JsonlTexts", "TsvTexts"),
    ("reml.ir_datasets_source", "reml.collection.sources"): ("IrDatasetsTexts",),
    ("reml.queries", "reml.access.querying"): ("InputQuery", "MentionQuery"),
    ("reml.queries", "reml.access.querying.query_generators"): ("ExpandedQuery",),
    ("reml.relevance_feedback", "reml.access.querying"): ("RM3", "Rocchio"),
    ("reml.processing", "reml.access.presenting"): ("DistinctPages", "First"),
    ("reml.memory", "reml.access.storing.collection_memory"): ("CollectionMemory",),
    ("reml.analysis", "reml.text.analysis"): ("Analyser",),
    ("reml.retrievers.bm25f", "reml.retrievers.bm25"): ("BM25F",),
    ("reml.retrievers.dense_encoder", "reml.retrievers.encoders.dense_encoder"): ("Encoding",),
    ("reml.retrievers.snrm_network", "reml.retrievers.snrm"): ("Layers",),
    ("reml.retrievers.sparse_encoder", "reml.retrievers.encoders.sparse_encoder"): ("TextCut",),
    ("reml.feedback.judging", "reml.feedback.judges"): ("ByAnswer", "ByEvidence", "ByTeacher"),
    ("reml.feedback.answer_utility", "reml.feedback.judges.answer_utility"): ("AnswerUtility",),
    ("reml.feedback.downstream_utility", "reml.feedback.judges.downstream_utility"): ("DownstreamUtility",),
    ("reml.feedback.gold_evidence", "reml.feedback.judges.gold_evidence"): ("GoldEvidence",),
    ("reml.feedback.recorded_utility", "reml.feedback.judges.recorded_utility"): ("RecordedUtility",),
    ("reml.feedback.teacher", "reml.feedback.judges.teacher"): ("Teacher",),
    ("reml.access_feedback", "reml.experiment.settings.access_feedback"): ("AccessFeedback",),
    ("reml.retriever_training", "reml.experiment.settings.retriever_training"): ("RetrieverTraining",),
    ("reml.experiment", "reml.experiment.settings.experiment"): ("Access", "Experiment", "Reading"),
    ("reml.experiment", "reml.experiment.settings.train_on"): ("TrainOn",),
    ("reml.training.groups", "reml.training.data.curriculum"): ("FromGroups", "Groups"),
    ("reml.training.negatives", "reml.training.data.negatives"): ("Denoising",),
    ("reml.training.pseudo_queries", "reml.training.data.pseudo_queries"): ("PseudoQueries",),
    ("reml.training.refresh_apart", "reml.training.refresh"): ("Asynchronous",),
    ("reml.training.refresh_partial", "reml.training.refresh"): ("MostRetrieved",),
    ("reml.training.sparsity", "reml.training.regimes.sparsity"): ("Flops", "L1"),
}
MOVED: Mapping[str, str] = {
    f"{before}.{name}": f"{now}.{name}" for (before, now), names in _ROOMS.items() for name in names
}

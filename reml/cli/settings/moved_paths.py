"""Where classes and settings that a configuration names have gone: by what they were called, what they are now."""

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
    ("reml.feedback.answer_utility", "reml.feedback.judges.answer_utility"): ("AnswerUtility",),
    ("reml.feedback.downstream_utility", "reml.feedback.judges.downstream_utility"): ("DownstreamUtility",),
    ("reml.feedback.gold_evidence", "reml.feedback.judges.gold_evidence"): ("GoldEvidence",),
    ("reml.feedback.recorded_utility", "reml.feedback.judges.recorded_utility"): ("RecordedUtility",),
    ("reml.feedback.teacher", "reml.feedback.judges.teacher"): ("Teacher",),
    ("reml.access_feedback", "reml.experiment.settings.access_feedback"): ("AccessFeedback",),
    ("reml.retriever_training", "reml.experiment.settings.retriever_training"): ("RetrieverTraining",),
    ("reml.experiment", "reml.experiment.settings.experiment"): ("Access", "Experiment", "Reading"),
    ("reml.experiment", "reml.experiment.settings.train_on"): ("TrainOn",),
    ("reml.training.negatives", "reml.training.data.negatives"): ("Denoising",),
    ("reml.training.pseudo_queries", "reml.training.data.pseudo_queries"): ("PseudoQueries",),
    ("reml.training.refresh_apart", "reml.training.refresh"): ("Asynchronous",),
    ("reml.training.refresh_partial", "reml.training.refresh"): ("MostRetrieved",),
    ("reml.training.sparsity", "reml.training.regimes.sparsity"): ("Flops", "L1"),
}
# Classes of another name: the modules that had the former one, and both names.
_JUDGES = ("reml.feedback.judging", "reml.feedback.judges", "reml.feedback.judges.judging"), "reml.feedback.judges"
_CURRICULUM = ("reml.training.groups", "reml.training.data.curriculum"), "reml.training.data.curriculum"
_NAMES: Mapping[tuple[tuple[str, ...], str], Mapping[str, str]] = {
    _JUDGES: {"ByAnswer": "DownstreamUtility", "ByEvidence": "GoldEvidence", "ByTeacher": "TeacherScores"},
    _CURRICULUM: {"FromGroups": "FromCurriculum", "Groups": "Curriculum"},
}
MOVED: Mapping[str, str] = {
    f"{before}.{name}": f"{now}.{name}" for (before, now), names in _ROOMS.items() for name in names
} | {
    f"{module}.{before}": f"{now}.{name}"
    for (modules, now), names in _NAMES.items()
    for before, name in names.items()
    for module in modules
}
# Settings of another name, by the path of their class.
RENAMED: Mapping[str, Mapping[str, str]] = {
    "reml.experiment.settings.retriever_training.RetrieverTraining": {
        "compared": "items_per_query",
        "listed": "list_depth",
        "random": "random_negatives",
    },
    "reml.training.data.rounds.Round": {"own": "self_mined", "groups": "curriculum"},
    "reml.training.settings.Training": {"chunk": "gradient_cache"},
}

"""What a task can be measured by, each a `Metric`, and how predictions are measured by one.

measured.py     the metric of a task, and its figures, checked
kilt.py         `KiltMetric`: KILT's measures
bleu.py         `Bleu`
perplexity.py   `Perplexity`: of answers that say their likelihood

bleu        BLEU: words and phrases of an answer that a right answer has too
kilt        KILT's measures as the metric of a task
measured    The metric of a task, and predictions measured by it
perplexity  How likely a language model finds the right text: the log-likelihood of a token, and perplexity
"""

from reml.evaluation.metrics.bleu import Bleu
from reml.evaluation.metrics.kilt import KiltMetric
from reml.evaluation.metrics.measured import measured, metric_of
from reml.evaluation.metrics.perplexity import Perplexity

__all__ = ["Bleu", "KiltMetric", "Perplexity", "measured", "metric_of"]

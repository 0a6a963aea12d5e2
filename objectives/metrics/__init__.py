"""Metrics of stacked outputs, their direction and the tasks they fit; one row of `METRICS` each.

metric -> ranks, decisions, distances -> registry. `scorers` has scikit-learn's by name, from predictions.
"""

from objectives.metrics.decisions import DECISIONS, best_threshold
from objectives.metrics.metric import Metric, RowFacts, SummedMetric, WholeMetric
from objectives.metrics.registry import METRICS, bounds_of, goal_metrics, metrics_of
from objectives.metrics.scorers import sklearn_score

__all__ = [
    "DECISIONS",
    "METRICS",
    "Metric",
    "RowFacts",
    "SummedMetric",
    "WholeMetric",
    "best_threshold",
    "bounds_of",
    "goal_metrics",
    "metrics_of",
    "sklearn_score",
]

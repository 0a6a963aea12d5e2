"""What the model that a study ships is worth on rows that nobody saw, beside other ways to get one.

python -m tests.benchmarks.shipped_model worth      # ensembles, single networks, baselines, RandomizedSearchCV
python -m tests.benchmarks.shipped_model intervals  # coverage of the intervals of test metrics and of predictions
python -m tests.benchmarks.shipped_model speed      # tuner predict on a million rows
"""

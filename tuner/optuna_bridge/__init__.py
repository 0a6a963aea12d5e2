"""The only door to Optuna: its models are asked here, and its storages read and written.

    checking, places -> study -> storage, beside; models

Nobody imports this package for its names: `models` is on the way of every run, the storages are not.
"""

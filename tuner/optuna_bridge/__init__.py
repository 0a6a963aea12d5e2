"""The only door to Optuna: its samplers are asked here, and its storages read and written.

    checking, places -> study -> storage, beside; sampler_models

Nobody imports this package for its names: `sampler_models` is on the way of every run, the storages are not.
"""

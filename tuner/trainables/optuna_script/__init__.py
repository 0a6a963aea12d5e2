"""Objectives written for Optuna, run as they are: the space that they ask for becomes a study file.

    suggested, script_text -> probe -> seen_conditions -> study_text; trial_adapter

`trial_adapter` is the trial that such an objective is handed while a study runs.
"""

"""Objectives written for Optuna, run as they are: the space that they ask for becomes a study file.

    suggested, script_settings -> script_text -> probe -> seen_conditions -> study_text
    main_block, study_beside -> trial_adapter -> script_rules

`script_settings` translates what a script says of its study, `main_block` finds an objective that it makes when it runs
as a program, `study_beside` is the study that an objective may read, `script_rules` its constraints.
`trial_adapter` is the trial that such an objective is handed while a study runs.
"""

"""Objectives of somebody's own: any training code, tuned by the same search, ranking and confirmation as the core.

    reference -> run, trial -> reports -> output, seeding -> calls, programs -> tasks -> training, retraining -> subject

`reference` finds the code, `run` and `trial` are what it is handed, `reports` checks what it says, `output` keeps what
it prints, `calls` and `programs` run it in a worker, `training` is what the orchestrator sees, `subject` what a run
does. Optuna's scripts:

    asked, script -> exploring -> conditions -> from_optuna
"""

"""The core as what a study tunes: a model on data, or a surface, descended in packs.

    packing -> training, retraining; fitting -> question; workload -> subject

`packing` is the task that travels to a worker, `training` what the orchestrator sees, `question` a study with its data,
`subject` what a run does with it. `tuner.own` is the same for training code of somebody's own.
"""

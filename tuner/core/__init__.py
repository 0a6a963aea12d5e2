"""The core as what a study tunes: a model on data, or a surface, descended in packs.

    packing -> training, retraining; resampling -> fitting -> question; workload -> subject

`packing` is the task that travels to a worker, `training` what the orchestrator sees, `resampling` how many splits a
trial is judged on, `question` a study with its data, `subject` what a run does with it. `tuner.own` is the same for
training code of somebody's own.
"""

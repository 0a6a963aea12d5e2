"""The core as what a study tunes: a model on data, or a surface, descended in packs.

    packs -> trainer, retrain -> refitting, baselines -> shipped_model
    split_counts -> validate -> prepared_study; workload -> trainable

`packs` is the task that travels to a worker, `trainer` what the orchestrator sees, `split_counts` how many splits a
trial is judged on, `prepared_study` a study with its data, `trainable` what a run does with it, `shipped_model` what
it ends with. `tuner.trainables.custom` is the same for training code of somebody's own.
"""

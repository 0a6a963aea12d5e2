"""Programs that were not written for a tuner, looked at from outside: a study file is drafted from what they show.

    option_list, printed_numbers -> command_draft; sweep_domains -> wandb_sweep

`option_list` reads what options a program has from its `--help` and its source, `printed_numbers` finds metrics in what
it prints, and `command_draft` runs it for a short while and writes the study. `wandb_sweep` translates a sweep of W&B,
and `sweep_domains` its parameters.
"""

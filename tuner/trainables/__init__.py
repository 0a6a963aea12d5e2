"""What a study tunes: the project's own models on data, somebody's own training code, or an Optuna objective.

    protocols -> builtin, custom, optuna_script; programs

`protocols` has the protocols that the orchestrator sees. `builtin` trains the models of `objectives` in packs, `custom`
calls a function or starts a program, `optuna_script` reads what an Optuna objective asks for, and
`programs` drafts studies of programs as they are.
"""

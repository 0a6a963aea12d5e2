"""Objectives of somebody's own: any training code, tuned by the same search, ranking and confirmation as the core.

    reference -> reports -> calls, programs -> tasks -> training -> question

`reference` finds the code, `reports` checks what it says, `calls` and `programs` run it in a worker, `training` is what
the orchestrator sees.
"""

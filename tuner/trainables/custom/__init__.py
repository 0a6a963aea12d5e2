"""Objectives of somebody's own: any training code, tuned by the same search, ranking and confirmation as the core.

    objective_ref -> run_handle -> metric_log -> captured_output, seeding -> function, command -> tasks
    -> trainer, retrained -> trainable; repeat

`objective_ref` finds the code, `run_handle` is what it is handed, `metric_log` checks what it says, `captured_output`
keeps what it prints, `function` and `command` run it in a worker, `trainer` is what the orchestrator sees, `trainable`
what a run does.
"""

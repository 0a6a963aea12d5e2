"""Objectives of somebody's own: any training code, tuned by the same search, ranking and confirmation as the core.

    invalid_objective -> call_forms, by_name -> objective_ref -> run_handle -> metric_log -> captured_output, seeding
    -> function -> program_lines, program_setup, epoch_rows -> metric_readers -> program_metrics -> command -> tasks
    -> kept_directories, restarts, refit -> trainer, retrained -> trainable -> introduction; repeat

`call_forms` tells how a function wants to be called, `by_name` calls one that takes hyperparameters by name,
`objective_ref` finds the code, `run_handle` is what it is handed, `metric_log` checks what it says, `captured_output`
keeps what it prints, `function` and `command` run it in a worker, `program_setup` is what a program is started with,
`program_lines` what it says as it says it, `metric_readers` and `epoch_rows` find metrics there and put them together,
`program_metrics` reports them, `kept_directories` are those of the best trials, `refit` puts what the last training
leaves in the place of a model, `trainer` is what the orchestrator sees, `trainable` what a run does, `introduction` how
it comes by one.
"""

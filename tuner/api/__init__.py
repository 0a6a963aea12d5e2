"""What can be done with a study, one module a verb: Python, the command line and a service call these alone.

    read_study -> check; run -> tune, confirm -> refit; verify, compare -> side_by_side, compare_tables
    import_optuna, export_optuna, export_mlflow; doctor, system, dashboard, remove

Importing this package imports none of them.
"""

"""What can be done with a study, one module a verb: Python, the command line and a service call these alone.

run -> confirm -> refit; verify, compare, compare_tables; import_optuna, export_optuna, export_mlflow; doctor, dashboard
"""

"""Exchange: what a study found, for others' tools, and what others found, as a study here.

to_optuna    a study as an ordinary Optuna study
to_mlflow    a study as MLflow runs
imported     an Optuna study as a study directory, to look at and to learn from
compare      studies side by side, and tables made on different machines
verify       trials run again, compared with the ledger bit for bit
"""

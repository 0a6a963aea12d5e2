"""Designs that must hold on rows nobody saw, simulated on exact tables: `python -m tests.benchmarks.unseen`.

    tables -> views -> rungs -> cuts -> designs -> finals -> sections

`tables` trains random configs on many fresh splits and keeps every curve; a view is one order of configs and splits.
`rungs` says what a search knows of every config after some epochs on some splits, `cuts` who goes on, `designs` and
`finals` what is handed over, and the command prints by how much that is worse than the best.
"""

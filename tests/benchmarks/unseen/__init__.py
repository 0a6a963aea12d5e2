"""Designs that must hold on rows nobody saw, simulated on exact tables: `python -m tests.benchmarks.unseen`.

    tables -> designs -> __main__

`tables` trains random configs on many fresh splits and keeps every curve, `designs` picks a config and an epoch as a
search would that saw only some of the splits, and the command prints by how much the pick is worse than the best.
"""

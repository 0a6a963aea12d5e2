"""What a user ends with: the loss on rows that nobody saw of the config that a search hands over, beside its rivals.

    python -m tests.benchmarks.handed_over [--quick] [--label NAME] [--jobs N] [--tables T ...] [--methods M ...]
    python -m tests.benchmarks.handed_over coverage | shipped | lookup | pieces

    tables -> divisions -> methods -> cells -> figures -> report

Each table is divided 70 / 30, again and again; a method sees the 70, its config is trained on all of them with five
seeds, and the 30 judge it. What was measured is kept in `.cache`, so that a run goes on where it stopped.
"""

"""What the search finds for what it spends, beside other ways to search, on tables of real results.

    python -m tests.benchmarks.search [SECTION ...] [--seeds N] [--jobs N] [--trials N ...]

Every config of a grid is trained once with the core and kept in `.cache/tables`; searches then look results up.
"""

"""Samplers: ways to choose what to try next, each a pure function of a seed, a number and what was seen.

    points, evolution -> table

`table` has a row for each, by the name that a study file gives it.
"""

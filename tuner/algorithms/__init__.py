"""Samplers and pruners by name: what to try next, and who goes on, as pure functions.

    fitting -> gaussian -> improvement; points, cmaes -> samplers; pruners

`samplers` and `pruners` have a row for each, by the name that a study file gives it. A sampler is a function of a seed,
a number and what was seen.
"""

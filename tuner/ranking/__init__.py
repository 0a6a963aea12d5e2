"""Ranking: what a trial's value is, which of two is ahead, how sure that is, and the tables that say so.

    goal, statistics, optimum -> intervals -> certainty -> standings -> contenders, noise -> table -> frames

`goal` is the value of one trial, `intervals` how sure a mean is and of what, `certainty` how sure it is that one
is ahead, `standings` what fresh seeds say, `noise` what chance alone makes of equal configs.
"""

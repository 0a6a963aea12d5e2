"""Ranking: what a trial's value is, which of two is ahead, how sure that is, and the tables that say so.

    goal, statistics, optimality_gap -> intervals -> probability -> retrainings -> confirmation_race
    -> standings, contenders -> gain, noise, confirmation_table, best_trial -> table -> frames; unread

`goal` is the value of one trial, `intervals` how sure a mean is and of what, `probability` how sure it is that one is
ahead. `retrainings` says which replicates a config is trained on again, `confirmation_race` who is left after each
round of them, `contenders` who trains next, `standings` how they did, `gain` what the first has over the
defaults, `noise` what chance alone makes of equal configs.
"""

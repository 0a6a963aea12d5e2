"""The search of a study, from its first generation to its last.

    live, stopping -> loop, retrying

`live` are trials and generations in flight, `loop` asks, trains, prunes, tells and commits them.
"""

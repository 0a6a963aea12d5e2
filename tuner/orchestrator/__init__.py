"""The search of a study, from its first generation to its last.

    provenance, warm_start -> resume -> live -> loop, retry_failed -> callbacks, artifacts, shipping

`resume` finds what a study has already, `live` are trials and generations in flight, `loop` asks, trains, prunes, tells
and commits them, `artifacts` writes what follows from the ledger, `shipping` the model.
"""

"""Running: a study brought to what its file says, confirmed, and written down for others to read.

    origin, warm -> settling; watching, publish -> run -> reconfirmation

`settling` finds what a study has already, `publish` writes what follows from the ledger.
"""

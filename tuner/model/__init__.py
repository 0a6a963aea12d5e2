"""The model that a study ships: trained on all rows that it may be trained on, and used on raw rows.

    refit; network -> trained -> stream, csv_text -> bundle -> loading
    judged, card: what is said of it

A bundle is a folder of a study's directory: `model.json` (what it is, and digests of the other files),
`preparation.json` (how raw columns become inputs), `weights.npz` and `card.md`, the model card for people. It is read
with NumPy and the standard library alone; nothing in it is code.
"""

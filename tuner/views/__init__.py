"""What commands print and a service would serve: documents, sheets and overviews as plain values.

    json_values -> sheet -> ranking, overview, appendix -> documents, exports; best_text, settings; overview -> studies

Nothing here writes to a terminal; `tuner.cli` renders what these modules return.
"""

"""Files of tables as people have them: bytes -> a kind -> columns as they were found.

    content -> encodings -> dialect, cells -> sniffing, layout -> text_form
    text_form -> text; columnar, records, sheets -> formats

`formats.read_table` reads any of them; a `dialect.Dialect` has what was guessed wrong.
"""

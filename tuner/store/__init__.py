"""Where studies are kept: their directories, their ledgers, the cache of computed arrays, and facts of the machine.

    lock, cache, collector, machine; signed, sqlite_files -> ledger -> backend -> directory -> stored, notes

Nothing is imported with the package: a worker that needs the cache alone waits for nothing else.
"""

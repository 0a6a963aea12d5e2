"""Where studies are kept: their directories, their ledgers, the cache of computed arrays, and facts of the machine.

lock, cache, collector, machine; sqlite_files -> ledger -> directory
"""

"""Timed comparisons, each run by hand as a module; pytest does not collect them."""

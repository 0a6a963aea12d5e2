"""What columns mean: texts that are numbers, dates, flags, categories, ids or prose.

numbers, dates, categories -> kinds; codes, factorized
"""

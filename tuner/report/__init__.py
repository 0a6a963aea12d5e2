"""The study report: one page that someone who was not there understands, offline.

    parameters -> found -> budgets -> charts, findings -> page
                  theme, data -------'

Charts and findings are pure functions of a study's frames. Stands below `tuner.result`, which offers it as methods.
"""

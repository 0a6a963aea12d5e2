"""The study report: one page that someone who was not there understands, offline.

    parameters, importance -> report_data -> conclusion, failures, budgets, contours -> charts, findings
    -> snippets, sections, summary_cards -> page
    conclusion, findings -> cells
    theme, vega_data, vega_bundle -> notebook, pictures

Charts and findings are pure functions of a study's frames. Stands below `tuner.result`, which offers it as methods.
"""

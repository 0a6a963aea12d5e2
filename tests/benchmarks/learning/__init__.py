"""Whether a search learns from its first results: problems whose optimum is known, looked up and not trained.

    problems -> played, rivals -> tables -> __main__

The tuner's search is the orchestrator's own code with pretended workers; rivals are driven by their own ask and tell.
"""

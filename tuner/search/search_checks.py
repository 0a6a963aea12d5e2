"""Check that a study can be searched, before anything runs."""

from __future__ import annotations

from objectives.errors import Complaint
from tuner.algorithms.samplers import SAMPLERS, Ask
from tuner.search.feasible import constraint_problems
from tuner.space import Space
from tuner.study import Study

__all__ = ["check_search", "repeats_note"]


def check_search(study: Study, space: Space) -> list[Complaint]:
    """Return complaints about the sampler, the given configs, and where a search starts from."""
    search, sampler = study.search, SAMPLERS[study.search.sampler]
    found = []
    if missing := sampler.missing():
        found.append(Complaint("search.sampler", *missing))
    names = list(space.optimizers)
    spaces = [space] if search.allocation == "best" or len(names) == 1 else [space.only(name) for name in names]
    for each in spaces:
        blocks = each.blocks(search.grid_points) if sampler.exhaustive else ()
        left = -(-(study.trials - len(search.enqueue)) // len(spaces))
        if problem := sampler.problem(Ask(study.seed, 0, 0, 1, each.latents, blocks=blocks), left):
            found.append(Complaint("search.sampler", *problem))
            break
    if study.constraints and sampler.exhaustive:
        what = f"do not go with {sampler.name}, which tries all points of its grid"
        found.append(Complaint("constraints", what, 'use sampler = "auto" or "random"'))
    found += constraint_problems(study, space)
    for i, config in enumerate(search.enqueue):
        for key, what, hint in space.problems_of(config):
            found.append(Complaint(f"search.enqueue[{i}].{key}", what, hint))
    if study.name in search.warm_start:
        what = f"{study.name!r} is this study, which cannot begin with its own trials"
        found.append(Complaint("search.warm_start", what, "name another study"))
    if search.warm_start and sampler.learns not in ("observations", "estimates"):
        what = f"{sampler.name} does not learn from the trials of other studies"
        found.append(Complaint("search.warm_start", what, 'use sampler = "auto", "tpe" or "gp", or remove it'))
    return found


def repeats_note(study: Study, space: Space) -> list[str]:
    """Say that a study asks for more trials than there are configs, where it does."""
    if space.size >= study.trials or SAMPLERS[study.search.sampler].exhaustive:
        return []
    some = f"{space.size:.0f} different configs" if space.size > 1 else "one config"
    if SAMPLERS[study.search.sampler].learns == "estimates":
        return [f"the study has {some}, so it ends after {space.size:.0f} of its {study.trials} trials"]
    what = f"the study has {some}, so {study.trials - space.size:.0f} of its {study.trials} trials repeat one"
    return [f'{what}: sampler = "grid" and trials = {space.size:.0f} try each once']

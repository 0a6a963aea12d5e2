"""Studies in Optuna's storages, read and written, and one in its memory alone."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from objectives.errors import nearest
from tuner.masking import masked
from tuner.optuna_bridge.checking import problem_of
from tuner.optuna_bridge.places import reading, told, writing, wrong
from tuner.optuna_bridge.study import OptunaStudy, axes_of, frozen_trials, plain_trial

__all__ = ["Memory", "load", "store"]

LONGEST_NOTE = 2045


def load(source: str, name: str | None = None) -> OptunaStudy:
    """Load a study from a storage; `name` may be left out if there is only one.

    Raises StudyError for a storage or a name that is not there, or several objectives, TunerError for one that cannot
    be read.
    """
    where = masked(source)
    with told(source, read=True), reading(source) as storage:
        studies = {study.study_name: study for study in storage.get_all_studies()}
        found = studies[_chosen(name, list(studies), where)]
        if len(found.directions) > 1:
            what = f"study {found.study_name!r} has {len(found.directions)} objectives"
            raise wrong(where, what, "only studies with one objective have a best trial")
        trials = storage.get_all_trials(found._study_id, deepcopy=False)
        names = found.system_attrs.get("study:metric_names") or [""]
        began = min((t.datetime_start for t in trials if t.datetime_start), default=OptunaStudy.began)
        if problem := problem_of(trials):
            raise wrong(where, f"study {found.study_name!r} {problem}", "it is damaged, or was changed by hand")
        return OptunaStudy(
            name=found.study_name,
            direction=found.directions[0].name.lower(),
            metric=str(names[0]),
            axes=axes_of(trials),
            trials=[plain_trial(trial) for trial in trials],
            attrs=dict(found.user_attrs),
            began=began,
        )


def store(study: OptunaStudy, target: str, force: bool = False) -> None:
    """Write a study into a storage, which is made where it is missing; one of that name there is replaced by `force`.

    Nothing is written where one of its trials is none to Optuna.
    Raises StudyError where there is one and `force` is not given, or for a target that is no storage, TunerError.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    trials = frozen_trials(study)
    with told(target):
        direction = optuna.study.StudyDirection[study.direction.upper()]
        optuna.create_study(storage=optuna.storages.InMemoryStorage(), direction=direction).add_trials(trials)
    with told(target), writing(target) as storage:
        if study.name in {known.study_name for known in storage.get_all_studies()}:
            if not force:
                hint = "name another --study-name, or add --force to replace it"
                raise wrong(masked(target), f"has a study {study.name!r} already", hint)
            optuna.delete_study(study_name=study.name, storage=storage)
        new = _created(storage, study)
        for trial in trials:
            storage.create_new_trial(new._study_id, template_trial=trial)
        _annotate(storage, new._study_id, study)


class Memory:
    """A study in Optuna's in-memory storage, for tools that take a `storage`: nothing is written anywhere."""

    def __init__(self, study: OptunaStudy) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.storage = optuna.storages.InMemoryStorage()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # metric names are new to Optuna
            self._id = _created(self.storage, study)._study_id
        self.follow(study)

    def follow(self, study: OptunaStudy) -> int:
        """Add new trials, update known ones that a confirmation changed, and return the number of trials."""
        known = self.storage.get_all_trials(self._id, deepcopy=False)
        trials = frozen_trials(study)
        for old, trial in zip(known, trials, strict=False):
            if (old.value, old.user_attrs, old.system_attrs) != (trial.value, trial.user_attrs, trial.system_attrs):
                trial._trial_id = old._trial_id
                self.storage._set_trial(old._trial_id, trial)
        for trial in trials[len(known) :]:
            self.storage.create_new_trial(self._id, template_trial=trial)
        _annotate(self.storage, self._id, study)
        return max(len(trials), len(known))


def _created(storage: Any, study: OptunaStudy) -> Any:
    """Create an empty Optuna study."""
    import optuna
    from optuna.study import StudyDirection

    direction = StudyDirection[study.direction.upper()]
    new = optuna.create_study(storage=storage, study_name=study.name, direction=direction)
    new.set_metric_names([study.metric])
    return new


def _annotate(storage: Any, number: int, study: OptunaStudy) -> None:
    """Set a study's attributes and notes, the latter under optuna-dashboard's keys.

    Source: optuna_dashboard 0.20, `_note.py`: texts are cut to pieces that every database can store.
    """
    for key, value in study.attrs.items():
        storage.set_study_user_attr(number, key, value)
    trials = {trial.number: trial._trial_id for trial in storage.get_all_trials(number, deepcopy=False)}
    for of, text in study.notes.items():
        prefix = "dashboard" if of is None else f"dashboard:{trials[of]}"
        storage.set_study_system_attr(number, f"{prefix}:note_ver", 1)
        for i in range(0, len(text), LONGEST_NOTE):
            storage.set_study_system_attr(number, f"{prefix}:note_str:{i // LONGEST_NOTE}", text[i : i + LONGEST_NOTE])


def _chosen(name: str | None, known: Sequence[str], where: str) -> str:
    if name in known:
        return str(name)
    if not known:
        raise wrong(where, "has no studies in it", "")
    if name is not None:
        raise wrong(where, f"has no study {name!r}", nearest(name, known))
    if len(known) > 1:
        raise wrong(where, f"has {len(known)} studies", f"choose one with --study-name: {', '.join(known[:20])}")
    return known[0]

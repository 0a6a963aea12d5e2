"""What a monitor asks for, in Prometheus' text form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version

from tuner.service.messages import Reply, Request, text_reply
from tuner.service.readers import study_lines
from tuner.service.room import ServiceRoom
from tuner.views.overview import STATES

__all__ = ["metrics"]

KIND = "text/plain; version=0.0.4"
JOB_STATES = ("queued", "running", "done", "failed", "cancelled")


def metrics(room: ServiceRoom, request: Request) -> Reply:
    """Return counts of jobs, studies, trials and requests."""
    del request
    return text_reply("".join(f"{line}\n" for line in lines(room)), KIND)


def lines(room: ServiceRoom) -> Iterator[str]:
    """Yield the lines, each metric after what it is."""
    yield from _metric("tuner_info", "gauge", "The version of the tuner.", {f'version="{version("tuner")}"': 1})
    jobs = Counter(job.state for job in room.queue.jobs())
    counts = {f'state="{state}"': jobs[state] for state in JOB_STATES}
    yield from _metric("tuner_jobs", "gauge", "Jobs by state.", counts)
    yield from _metric("tuner_max_runs", "gauge", "Runs at once at most.", {"": room.settings.max_runs})
    studies = [line for line in study_lines(room) if "damaged" not in line]
    yield from _metric("tuner_studies", "gauge", "Studies in the home.", {"": len(studies)})
    trials = {
        f'study="{_escaped(line["name"])}",state="{state}"': line[state]
        for line in studies
        if "planned" in line
        for state in STATES
    }
    yield from _metric("tuner_trials", "gauge", "Committed trials by study and state.", trials)
    answers = {f'status="{status}"': number for status, number in sorted(dict(room.requests).items())}
    yield from _metric("tuner_http_requests_total", "counter", "Requests answered, by status.", answers)


def _metric(name: str, kind: str, words: str, values: dict[str, int]) -> Iterator[str]:
    yield f"# HELP {name} {words}"
    yield f"# TYPE {name} {kind}"
    for labels, value in values.items():
        yield f"{name}{{{labels}}} {value}" if labels else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

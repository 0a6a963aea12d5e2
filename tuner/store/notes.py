"""Notes on a study: a text and tags of its user's own, in a file beside the ledger that nothing else depends on.

They are no part of the study's question and under no digest: no table follows from them, and a study with other notes
is not a changed one. A study may run meanwhile: the file is replaced in one step, and the run does not read it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from objectives.errors import Complaint
from tuner.errors import StudyError, TunerError
from tuner.store.backend import write_private
from tuner.store.directory import LOCK, StudyDirectory

__all__ = ["StudyNotes", "change_notes", "check_tag", "read_notes"]

LONGEST = 2000  # characters of a text
TAG = re.compile(r"[^\W_][\w.+-]{0,39}")


@dataclass(frozen=True)
class StudyNotes:
    """What a user noted of a study; `problem` says why the file could not be read, "" if it could."""

    text: str = ""
    tags: tuple[str, ...] = ()
    problem: str = ""

    def __bool__(self) -> bool:
        return bool(self.text or self.tags or self.problem)

    def tagged(self, tags: Sequence[str], untag: Sequence[str] = ()) -> StudyNotes:
        """Return the notes with some tags more and some fewer, each once, in alphabetical order."""
        return StudyNotes(self.text, tuple(sorted({*self.tags, *tags} - set(untag))))


def read_notes(directory: StudyDirectory) -> StudyNotes:
    """Return the notes of a study; none where there is no file, and a problem where it is damaged."""
    try:
        found = json.loads(directory.notes.read_text(encoding="utf-8"))
        text, tags = found["text"], found["tags"]
        if not isinstance(text, str) or not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise ValueError("text and tags are expected")
    except FileNotFoundError:
        return StudyNotes()
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        return StudyNotes(problem=f"cannot be read ({type(error).__name__}); mend or delete {directory.notes}")
    return StudyNotes(text, tuple(tags))


def change_notes(directory: StudyDirectory, change: Callable[[StudyNotes], StudyNotes]) -> StudyNotes:
    """Replace the notes of a study by what `change` makes of them, one writer at a time, and return them.

    Raises StudyError for a text or a tag that no notes may have, TunerError where the file is damaged.
    """
    from filelock import FileLock

    directory.path.mkdir(mode=0o700, parents=True, exist_ok=True)  # of a study in a database there may be none here
    with FileLock(directory.path / f"{LOCK}-notes"):
        before = read_notes(directory)
        if before.problem:
            raise TunerError(f"the notes of study {directory.name!r}: {before.problem}")
        after = change(before)
        _check(after)
        if after:
            content = json.dumps({"text": after.text, "tags": after.tags}, indent=2)
            write_private(directory.notes, f"{content}\n")
        else:
            directory.notes.unlink(missing_ok=True)
    return after


def check_tag(tag: str) -> str:
    """Return why a text is no tag; "" where it is one."""
    if TAG.fullmatch(tag):
        return ""
    near = re.sub(r"[^\w.+-]+", "-", tag).strip("-_.+")[:40]
    hint = f"; {near!r}?" if TAG.fullmatch(near) else ""
    return f"{tag[:60]!r} is no tag: a tag is one word of letters, digits and . _ + -, 40 at most{hint}"


def _check(notes: StudyNotes) -> None:
    wrong = [Complaint("tag", why) for why in map(check_tag, notes.tags) if why]
    if len(notes.text) > LONGEST:
        wrong.append(Complaint("text", f"has {len(notes.text):,} characters, {LONGEST:,} at most", "shorten it"))
    if wrong:
        raise StudyError(*wrong)

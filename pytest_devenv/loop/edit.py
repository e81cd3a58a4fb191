"""Editing a file of the project for the time of a run: noted in a journal first, put back byte for byte afterwards.

The file is written in place, so that it keeps its mode, its owner and its links, and no other file comes up in a
folder that is watched. Put back it is as new as any edit: what watches by time has to notice that too.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pytest_devenv.errors import TargetError
from pytest_devenv.loop import stamp as stamps
from pytest_devenv.loop.place import EDIT, journal, loops_folder

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Written:
    """One edit: its stamp, and when it was written, by `time.monotonic()` and as a Unix time."""

    stamp: bytes
    monotonic: float
    unix: float


@dataclass(frozen=True, slots=True)
class _Noted:
    """What the journal says of a file: what it was, where the stamp goes, and the series of its stamps."""

    path: Path
    original: bytes
    place: int
    series: str

    def stamped(self, number: int) -> bytes:
        return self.original[: self.place] + stamps.stamp(self.series, number) + self.original[self.place :]

    def put_back(self) -> str | None:
        """Put the file back; return a remark where somebody else has changed it meanwhile.

        Whoever did keeps what they wrote, but for our stamps in it.
        """
        try:
            found = self.path.read_bytes()
        except FileNotFoundError:
            return f"{self.path} was removed by somebody else while it was edited, and is left so"
        clean = stamps.without(found, self.series)
        if clean == self.original or self._is_torn(found):
            if found != self.original:
                _write(self.path, self.original)
            return None
        if clean != found:
            _write(self.path, clean)
        return f"{self.path} was changed by somebody else while it was edited: that change is kept, without our stamp"

    def _is_torn(self, found: bytes) -> bool:
        """Tell whether a write was cut short: the first one, or the one that was to put the file back."""
        first = self.stamped(1)
        if found == first[: (same := stamps.common_prefix(found, first))] + self.original[same:]:
            return True
        same = stamps.common_prefix(found, self.original)
        return len(found) == len(first) and any(
            found[same:] == self.stamped(number)[same:] for number in range(1, stamps.MOST + 1)
        )

    def to_json(self) -> str:
        return json.dumps(
            {
                "path": str(self.path),
                "original": base64.b64encode(self.original).decode(),
                "place": self.place,
                "series": self.series,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> _Noted:
        data = json.loads(text)
        return cls(Path(data["path"]), base64.b64decode(data["original"]), data["place"], data["series"])


class Editing:
    """A file that is being edited; `stamp()` writes one edit after another."""

    def __init__(self, noted: _Noted) -> None:
        self._noted = noted
        self._number = 0
        self.notes: list[str] = []

    @property
    def series(self) -> bytes:
        """What every stamp begins with."""
        return self._noted.series.encode()

    def stamp(self) -> Written:
        """Write the next stamp into the file. Raises TargetError where somebody else has changed the file meanwhile."""
        path = self._noted.path
        if stamps.without(path.read_bytes(), self._noted.series) != self._noted.original:
            msg = f"expected {path} as this run left it, found that somebody else has changed it"
            raise TargetError(msg, remedy="run again when nobody edits it")
        self._number += 1
        content = self._noted.stamped(self._number)
        written = Written(stamps.stamp(self._noted.series, self._number), time.monotonic(), time.time())
        _write(path, content)
        return written


@contextlib.contextmanager
def edited(file: Path, *, at: str | None) -> Iterator[Editing]:
    """Edit a file for the time of a `with`; afterwards it is as it was, also when this process is killed.

    What a killed one left is put back by `put_back_all`, which the next run calls. Raises TargetError where the file
    cannot be edited, and ConfigError where `at` is not in it.
    """
    try:
        path = file.resolve(strict=True)
        original = path.read_bytes()
        with path.open("r+b"):
            pass
    except OSError as error:
        msg = f"expected a file that can be edited, found: {error.strerror}, looked at {file}"
        raise TargetError(msg, remedy=f"make it writable: chmod u+w {file}") from error
    place = stamps.place_for(original, at, file=str(file))
    noted = _Noted(path, original, place, stamps.new_series())
    editing = Editing(noted)
    with _journalled(noted) as entry:
        try:
            yield editing
        finally:
            remark = noted.put_back()
            entry.unlink(missing_ok=True)
            if remark is not None:
                editing.notes.append(remark)


def put_back_all() -> tuple[str, ...]:
    """Put back every file that a run which was killed left edited; return what was done, in words.

    A file that a living run is editing is left to it.
    """
    said: list[str] = []
    for entry in journal():
        with contextlib.suppress(FileNotFoundError), entry.open("rb") as written:
            if not _owned(written):
                continue
            noted = _Noted.from_json(written.read().decode())
            remark = noted.put_back()
            entry.unlink(missing_ok=True)
            said.append(remark or f"{noted.path} was put back: a run that edited it had been killed")
    return tuple(said)


@contextlib.contextmanager
def _journalled(noted: _Noted) -> Iterator[Path]:
    """Have the journal say what the file was until its entry is removed. Whoever holds the entry's lock lives."""
    folder = loops_folder()
    name = hashlib.sha256(str(noted.path).encode()).hexdigest()[:16]
    entry, scratch = folder / f"{name}{EDIT}", folder / f".{name}.{os.getpid()}"
    with os.fdopen(os.open(scratch, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w") as journal:
        _owned(journal)
        journal.write(noted.to_json())
        journal.flush()
        os.fsync(journal.fileno())
        scratch.rename(entry)
        yield entry


def _owned(journal: IO[str] | IO[bytes]) -> bool:
    """Take the lock of a journal's entry; tell whether it is ours now."""
    try:
        fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(path: Path, content: bytes) -> None:
    with path.open("r+b", buffering=0) as file:
        left = memoryview(content)
        while left:
            left = left[file.write(left) :]
        file.truncate(len(content))

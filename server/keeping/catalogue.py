"""The generations of a backup and their ticks, and which of them are let go of when.

A generation begins with a base copy, tick 0, and goes on with what changed. A tick is written last, after all that it
names, so a backup that was cut off ends with the tick before.
"""

import datetime as dt
import hashlib
import itertools
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from server.keeping.archive import Archive
from server.keeping.terms import ArchiveDamaged, KeepingRefused, Tick

KEYS_LIVE = dt.timedelta(days=29)
"""With the day that a generation lasts, no copy of a data key is older than 30 days (TRUST §2, Sealed fields)."""
RECORDS_LIVE = dt.timedelta(days=30)
"""Older than this, only the first generation of each month stays."""
UNFINISHED_LIVE = dt.timedelta(days=2)
"""What a base copy that was cut off left behind is deleted after this."""
_GENERATION = re.compile(r"\d{8}t\d{6}x[0-9a-f]{8}\Z")
_STAMP = "%Y%m%dt%H%M%S"


@dataclass(frozen=True, slots=True)
class Archives:
    """Where the kinds of a backup lie: ticks, records and erasures in one place, data keys in another."""

    ticks: Archive
    records: Archive
    keys: Archive
    erasures: Archive


def new_generation(now: dt.datetime, chance: bytes) -> str:
    """Name a generation after its instant."""
    return f"{now.astimezone(dt.UTC).strftime(_STAMP)}x{chance[:4].hex()}"


def began(generation: str) -> dt.datetime:
    """Say when a generation began."""
    return dt.datetime.strptime(generation.partition("x")[0], _STAMP).replace(tzinfo=dt.UTC)


def generations(archives: Archives) -> list[str]:
    """Give the names of all generations that have a whole base copy, oldest first."""
    return _generations_in(archives.ticks)


def _generations_in(archive: Archive) -> list[str]:
    found, after = [], "0"
    while name := archive.first_after(after):
        generation = name.partition("/")[0]
        if _GENERATION.match(generation):
            found.append(generation)
        after = f"{generation}0"  # "0" follows "/": behind everything of this generation
    return found


def chosen(archives: Archives, wanted: str | None, until: dt.datetime | None = None) -> str:
    """Give the generation to restore: the one that is named, or the one that reaches furthest (by `until`)."""
    known = generations(archives)
    if wanted is not None:
        if wanted not in known:
            raise KeepingRefused("没有这一代备份；用 flask backups 查看有哪些。")
        return wanted
    fitting = [one for one in known if until is None or began(one) <= until]
    if not fitting:
        raise KeepingRefused(
            "备份位置里没有可用的备份。"
            if not known
            else "没有早于这个时刻的备份；用 flask backups 查看有哪些。"
        )
    newest = fitting[-1]
    if len(fitting) > 1 and not _has_gone_on(archives, newest, until):
        # The one before goes on until the new one does: it may have been the last to tick.
        before = fitting[-2]
        if _read(archives, before, _last(archives, before)).at >= _read(archives, newest, 0).at:
            return before
    return newest


def reaches(archives: Archives) -> dt.datetime | None:
    """Say up to which instant the backup holds everything; None when there is no whole generation."""
    # The generation before goes on until a new one does.
    return max(
        (_read(archives, one, _last(archives, one)).at for one in generations(archives)[-2:]), default=None
    )


def _has_gone_on(archives: Archives, generation: str, until: dt.datetime | None) -> bool:
    if archives.ticks.first_after(tick_name(generation, 0)) != tick_name(generation, 1):
        return False
    return until is None or _read(archives, generation, 1).at <= until


def _last(archives: Archives, generation: str) -> int:
    """Give the number of the last tick; a day has up to 86,400, so they are looked for and not listed."""

    def is_behind(number: int) -> int:
        return int(not archives.ticks.has(tick_name(generation, number)))

    beyond = 1
    while not is_behind(beyond):
        beyond *= 2
    return bisect_left(range(beyond), 1, key=is_behind) - 1


def _read(archives: Archives, generation: str, number: int) -> Tick:
    return Tick.parse(archives.ticks.read(tick_name(generation, number)))


def write(archives: Archives, generation: str, tick: Tick) -> str:
    """Write a tick; returns its SHA-256, which the next one names."""
    return archives.ticks.put_bytes(tick_name(generation, tick.number), tick.to_json()).sha256


def ticks(archives: Archives, generation: str) -> Iterator[Tick]:
    """Read the ticks of a generation from its base on. Raises ArchiveDamaged when one is missing or exchanged."""
    previous = ""
    for number, name in enumerate(archives.ticks.names(f"{generation}/")):
        if name != tick_name(generation, number):
            raise ArchiveDamaged(
                f"备份 {generation} 缺少第 {number} 个时点，之后的都接不上；请改用另一代备份，"
                "或用 --until 恢复到更早的时刻。"
            )
        text = archives.ticks.read(name)
        tick = Tick.parse(text)
        if (tick.number, tick.previous) != (number, previous):
            raise ArchiveDamaged(f"备份 {generation} 第 {number} 个时点与前一个接不上，备份被改动过。")
        previous = hashlib.sha256(text).hexdigest()
        yield tick


def tick_name(generation: str, number: int) -> str:
    """Name the object of a tick."""
    return f"{generation}/t{number:08}"


def piece_name(generation: str, number: int, part: int = 0) -> str:
    """Name the object of a piece."""
    return f"{generation}/p{number:08}n{part:03}"


def prune(archives: Archives, now: dt.datetime) -> list[str]:
    """Delete what has been kept long enough; returns what was deleted, for the log.

    A generation's end is the beginning of the next: only then is the youngest thing in it known. The newest
    generation always stays.
    """
    known = generations(archives)
    gone = []
    for generation, following in itertools.pairwise(known):
        if began(following) < now - KEYS_LIVE and _delete_all(archives.keys, generation):
            gone.append(f"keys {generation}")
        if began(following) < now - RECORDS_LIVE and not _first_of_month(generation, known):
            # The ticks go last: what is listed can still be deleted by the next run.
            _delete_all(archives.records, generation)
            _delete_all(archives.ticks, generation)
            gone.append(f"records {generation}")
    for archive in (archives.records, archives.keys):
        for generation in set(_generations_in(archive)) - set(known):
            if began(generation) < now - UNFINISHED_LIVE:
                _delete_all(archive, generation)
                gone.append(f"unfinished {generation}")
    return gone


def _first_of_month(generation: str, known: Sequence[str]) -> bool:
    return generation == next(one for one in known if one[:6] == generation[:6])


def _delete_all(archive: Archive, generation: str) -> int:
    names = list(archive.names(f"{generation}/"))
    for name in names:
        archive.delete(name)
    return len(names)

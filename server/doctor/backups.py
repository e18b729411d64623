"""The backup: whether there is one, and up to when."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from server.doctor.terms import Finding, Part, State, plain_age
from server.errors import Refusal
from server.keeping import catalogue
from server.keeping.opening import archives_of
from server.keeping.terms import KeepingRefused
from server.settings import Settings
from server.tools import SHANGHAI, Tools

PART = Part.BACKUP
FOLLOWED = dt.timedelta(minutes=10)
"""A backup that follows says at least once a minute that nothing changed; one that a timer makes is older."""
TOO_OLD = dt.timedelta(hours=26)
LOOK = "systemctl status visits-backup；journalctl -u visits-backup；见 docs/operations.md §8。"


def examine_backup(settings: Settings, tools: Tools) -> Iterator[Finding]:
    """Read up to when the newest backup reaches; without its settings nobody can tell from here."""
    if not (settings.backup_url or settings.backup_keys_url or settings.backup_key):
        yield Finding(
            PART,
            State.UNKNOWN,
            "这里没有备份的设置，看不到有没有备份。",
            "设置一般单独放在 /etc/visits/backup.env，连同它再检查一次；还没有备份的，按 docs/operations.md §8 现在就做。",
        )
        return
    for folder in _folders(settings):
        if not folder.is_dir():  # a disk that is not mounted must not be taken for an empty one
            yield Finding(PART, State.TROUBLE, "存放备份的文件夹不在。", f"检查备份盘是否已挂载：{folder}。")
            return
    both = settings.backup_url and settings.backup_keys_url
    if both and not all(any(folder.iterdir()) for folder in _folders(settings)):
        yield _told(None, tools.now())  # opening it would make folders, and the doctor makes none
        return
    try:
        archives, _ = archives_of(settings, tools.random_bytes)
        last = catalogue.reaches(archives)
    except KeepingRefused as refused:
        yield Finding(PART, State.TROUBLE, str(refused), LOOK)
        return
    except (Refusal, OSError):
        yield Finding(PART, State.TROUBLE, "存放备份的地方没有应答，或不能读写。", LOOK)
        return
    yield _told(last, tools.now())


def _told(last: dt.datetime | None, now: dt.datetime) -> Finding:
    if last is None:
        return Finding(PART, State.TROUBLE, "还没有一份完整的备份。", LOOK)
    until = f"备份到 {last.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    age = now - last
    if age > FOLLOWED:
        state = State.TROUBLE if age > TOO_OLD else State.WARNING
        return Finding(PART, state, f"{until}，之后 {plain_age(age)}的记录还没有备份。", LOOK)
    return Finding(PART, State.OK, f"{until}。")


def _folders(settings: Settings) -> list[Path]:
    """Name the folders of the backup, as far as it lies in folders."""
    parts = [urlsplit(url or "") for url in (settings.backup_url, settings.backup_keys_url)]
    return [Path(unquote(one.path)) for one in parts if one.scheme == "file"]

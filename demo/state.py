"""What a demo remembers of itself: DATA_DIR/demo.json (mode 0600) with its secrets, its accounts and how far it was played."""

import dataclasses
import datetime as dt
import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from sqlalchemy.engine import make_url

from server.permissions import Role

ROOT = Path(__file__).resolve().parent.parent
MADE_BY = "tanfang demo"
STATE_FILE, KEYRING_FILE, LOCK_FILE = "demo.json", "keyring.json", ".lock"
LEDGER_KEY_FILE, CHECKPOINTS = "ledger.key", "checkpoints"
EXPORT_FILE, RECEIPT_FILE = "ledger.jsonl", "receipt.json"
DATABASE_FILE, UPLOADS = "demo.sqlite", "uploads"
EMBEDDED = "embedded"
PLAY_LOG, SERVER_LOG = "play.log", "server.log"
LOGS = (PLAY_LOG, SERVER_LOG)
ROLES = {role.value: role for role in Role}


class DemoError(Exception):
    """The demo cannot go on; the message says why and what to do."""


@dataclass
class Account:
    """A worker of the demo with everything that is needed to sign in as them; `invite_code` None once it was used."""

    id: UUID
    username: str
    password: str = field(repr=False)
    name: str
    role: Role
    area: str
    wechat_subject: str
    invite_code: str | None = field(default=None, repr=False)


@dataclass
class Township:
    """The demo's township in one database; `played` is no, begun or done."""

    begin_on: dt.date
    accounts: list[Account]
    ready: bool = False
    played: str = "no"

    def account(self, role: Role) -> Account:
        """Give the first account of a role."""
        return next(one for one in self.accounts if one.role is role)


@dataclass
class State:
    """The secrets of one demo and its township in each database that it was set up in."""

    secret_key: str = field(repr=False)
    wechat_app_secret: str = field(repr=False)
    wecom_corp_secret: str = field(repr=False)
    wechat_app_id: str = "wxdemo"
    wecom_corp_id: str = "wwdemo"
    townships: dict[str, Township] = field(default_factory=dict)


def data_dir(environ: Mapping[str, str]) -> Path:
    """Say where the demo of this environment lives (DATA_DIR, else var/demo)."""
    named = environ.get("DATA_DIR")
    return Path(named).expanduser().resolve() if named else ROOT / "var" / "demo"


def database_name(environ: Mapping[str, str]) -> str:
    """Name the database of this environment without showing where it is: each has a township of its own."""
    url = environ.get("DATABASE_URL")
    if not url:
        return EMBEDDED
    bare = make_url(url).set(password=None).render_as_string()
    return hashlib.sha256(bare.encode()).hexdigest()[:16]


def fresh() -> State:
    """Make the secrets of a new demo."""
    return State(secrets.token_urlsafe(48), secrets.token_hex(16), secrets.token_hex(16))


def load(folder: Path) -> State | None:
    """Read a demo's state; None when no demo was set up there. Raises DemoError when it is not a demo's."""
    path = folder / STATE_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise DemoError(f"{path} 无法读取 (cannot be read): {error}") from None
    try:
        raw = json.loads(text)
        if raw.pop("made_by") != MADE_BY:
            raise DemoError(f"{path} 不是本演示的文件 (is not a demo's)")
        townships = {name: _township(one) for name, one in raw.pop("townships").items()}
        return State(**raw, townships=townships)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DemoError(
            f"{path} 已损坏 (is damaged)；请移走后重新安装演示 (move it away, set the demo up anew)"
        ) from None


def save(folder: Path, state: State) -> None:
    """Write a demo's state, whole or not at all, readable by its owner only."""
    raw = {"made_by": MADE_BY, **dataclasses.asdict(state)}
    draft = folder / f".{STATE_FILE}.{os.getpid()}"
    opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(opened, "w", encoding="utf-8") as file:
        json.dump(raw, file, ensure_ascii=False, indent=1, default=str)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / STATE_FILE)


@contextmanager
def held(folder: Path, *, alone: bool, wait: bool = True) -> Iterator[None]:
    """Hold the demo's folder while it is changed (`alone`) or served; raises DemoError when another holds it."""
    with (folder / LOCK_FILE).open("w") as file:
        kind = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
        try:
            fcntl.flock(file, kind | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise DemoError(
                f"{folder} 正在使用，请先停止演示服务 (is in use: stop the demo's server first)"
            ) from None
        yield


def _township(raw: dict[str, object]) -> Township:
    accounts = raw["accounts"]
    assert isinstance(accounts, list)
    return Township(
        begin_on=dt.date.fromisoformat(str(raw["begin_on"])),
        accounts=[Account(**{**one, "id": UUID(one["id"]), "role": ROLES[one["role"]]}) for one in accounts],
        ready=bool(raw["ready"]),
        played=str(raw["played"]),
    )

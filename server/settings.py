"""What an administrator sets for a process, read from the environment and checked at start.

Rules of the work (how often, how many days) are not here: they are versioned rows (server/policies/).
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from environs import Env, EnvError

TILES = re.compile(
    r"(?=.*\{z\})(?=.*\{x\})(?=.*\{y\})https://[A-Za-z0-9.-]+(:\d+)?/[A-Za-z0-9{}._~/?=&%-]+\Z"
)


class SettingsError(Exception):
    """A setting is missing or wrong; the message says which and what it should be."""


@dataclass(frozen=True)
class Settings:
    """Settings of one server process; `from_env` reads them.

    `database_url` and `storage_url` say where records and photos live, `keyring` is the key ring (JSON text, or
    `file:` and a path), `secret_key` signs links, `proxies` is how many trusted proxies stand in front. Below
    `low_water_mb` (millions of bytes) of free disk no photo is taken in, so that the database keeps room; beside a SQLite database `reserve_mb` are held for
    the hour when somebody else fills the disk. `map_tiles_url` is where browsers fetch the ground of maps (`{z}`, `{x}`, `{y}` in WGS-84); without it maps have none.
    `backup_url`, `backup_keys_url` and `backup_key` (as `keyring`) are read by `flask backup` and `restore` only: a
    process that serves needs no backup key, and need not be able to read its file. `ledger_key` (as `keyring`) signs
    checkpoints and `ledger_checkpoints` (`file:` and a folder) is where they are exported to; only `flask ledger
    checkpoint` reads them.
    """

    database_url: str
    storage_url: str
    keyring: str = field(repr=False)
    secret_key: str = field(repr=False)
    s3_endpoint_url: str | None = None
    wechat_base_url: str = "https://api.weixin.qq.com"
    wechat_app_id: str = ""
    wechat_app_secret: str = field(default="", repr=False)
    wecom_base_url: str = "https://qyapi.weixin.qq.com"
    wecom_corp_id: str = ""
    wecom_corp_secret: str = field(default="", repr=False)
    proxies: int = 0
    pool_size: int = 8
    backup_url: str | None = None
    backup_keys_url: str | None = None
    backup_key: str | None = field(default=None, repr=False)
    ledger_key: str | None = field(default=None, repr=False)
    ledger_checkpoints: str | None = None
    low_water_mb: int = 200
    reserve_mb: int = 0
    map_tiles_url: str | None = None
    demo: bool = False
    data_dir: Path | None = None

    @classmethod
    def from_env(cls) -> Self:
        """Read the settings of a service; nothing secret has a default."""
        env = Env()
        try:
            settings = cls(
                database_url=env.str("DATABASE_URL"),
                storage_url=env.str("STORAGE_URL"),
                keyring=text_or_file("KEYRING", env.str("KEYRING")),
                secret_key=env.str("SECRET_KEY"),
                s3_endpoint_url=env.str("S3_ENDPOINT_URL", None),
                wechat_base_url=env.str("WECHAT_BASE_URL", cls.wechat_base_url),
                wechat_app_id=env.str("WECHAT_APP_ID", ""),
                wechat_app_secret=env.str("WECHAT_APP_SECRET", ""),
                wecom_base_url=env.str("WECOM_BASE_URL", cls.wecom_base_url),
                wecom_corp_id=env.str("WECOM_CORP_ID", ""),
                wecom_corp_secret=env.str("WECOM_CORP_SECRET", ""),
                proxies=env.int("TRUSTED_PROXIES", 0),
                pool_size=env.int("POOL_SIZE", 8),
                backup_url=env.str("BACKUP_URL", None),
                backup_keys_url=env.str("BACKUP_KEYS_URL", None),
                backup_key=env.str("BACKUP_KEY", None),
                ledger_key=env.str("LEDGER_KEY", None),
                ledger_checkpoints=env.str("LEDGER_CHECKPOINTS", None),
                low_water_mb=env.int("LOW_WATER_MB", cls.low_water_mb),
                reserve_mb=env.int("RESERVE_MB", 16),
                map_tiles_url=env.str("MAP_TILES_URL", None),
            )
        except EnvError as error:
            raise SettingsError(f"设置缺失或有误 (missing or wrong setting): {error}") from None
        settings.check()
        return settings

    def check(self) -> None:
        """Refuse settings with which a service must not start."""
        if len(self.secret_key) < 32:  # noqa: PLR2004
            raise SettingsError("SECRET_KEY must have at least 32 characters")
        if not self.storage_url.startswith(("file:///", "s3://")):
            raise SettingsError("STORAGE_URL must be file:///… or s3://bucket/prefix")
        if self.low_water_mb < 0:
            raise SettingsError("LOW_WATER_MB counts millions of bytes; it must not be negative")
        if self.map_tiles_url is not None and not TILES.match(self.map_tiles_url):
            raise SettingsError(
                "MAP_TILES_URL must be https://…{z}…{x}…{y}… (in any order), without spaces and quotes"
            )


def text_or_file(name: str, text: str) -> str:
    """Give a setting's text, or that of the file it names (`file:` and a path); `name` is the variable's."""
    if not text.startswith("file:"):
        return text
    path = Path(text.removeprefix("file://").removeprefix("file:"))
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError) as broken:
        why = broken.strerror if isinstance(broken, OSError) else "not ASCII text"
        raise SettingsError(f"{name}: {path} cannot be read: {why}") from None

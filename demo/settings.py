"""The settings of a demo: embedded SQLite and uploads/ in DATA_DIR, unless the environment names others."""

import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from demo.state import (
    CHECKPOINTS,
    DATABASE_FILE,
    KEYRING_FILE,
    LEDGER_KEY_FILE,
    UPLOADS,
    State,
    database_name,
)
from server.auditing.checkpoint_folder import make_key
from server.settings import Settings
from server.vault.keyring import load_or_create

SERVICE = ("DATABASE_URL", "KEYRING", "SECRET_KEY", "STORAGE_URL")
"""What makes the environment a service's: with all of them there is no demo."""

LEDGER_NAME = "demo.example/visits"
NOBODY = "http://127.0.0.1:9"
"""Where a demo looks for WeChat when its stand-in does not run: never at the real one."""

NOTHING_SET = """\
没有可用的设置，服务无法启动。
  正式服务：请设置环境变量 {missing}（见 docs/operations.md）；
  演示：请先执行 make run 或 make serve（数据在 {folder}）。
Nothing to serve.
  A service needs these in its environment: {missing} (docs/operations.md).
  For the demo run `make run` or `make serve` first (its data: {folder}).
"""


def is_service(environ: Mapping[str, str]) -> bool:
    """Say whether the environment holds what a service needs."""
    return all(environ.get(name) for name in SERVICE)


def nothing_set(environ: Mapping[str, str], folder: Path) -> str:
    """Say, in Chinese and English, what to set or to run."""
    missing = "、".join(name for name in SERVICE if not environ.get(name))
    return NOTHING_SET.format(missing=missing, folder=folder)


def demo_settings(folder: Path, state: State, environ: Mapping[str, str]) -> Settings:
    """Give the settings of the demo in a folder; DATABASE_URL, STORAGE_URL and S3_ENDPOINT_URL override its own.

    The key ring and the key that signs the ledger are made at the first call, and announced: what the ring locks is lost
    without it.
    """
    path = folder / KEYRING_FILE
    ring, made = load_or_create(path)
    if made:
        sys.stderr.write(f"密钥环已生成 (key ring made): {path}\n")
    ledger_key, made = make_key(folder / LEDGER_KEY_FILE, LEDGER_NAME, secrets.token_bytes)
    if made:
        sys.stderr.write(f"留痕签名密钥已生成 (ledger key made): {folder / LEDGER_KEY_FILE}\n")
    # Each database has a ledger of its own, which goes on from its own checkpoints.
    checkpoints = folder / CHECKPOINTS / database_name(environ)
    checkpoints.mkdir(parents=True, exist_ok=True)
    return Settings(
        database_url=environ.get("DATABASE_URL") or f"sqlite:///{folder / DATABASE_FILE}",
        storage_url=environ.get("STORAGE_URL") or (folder / UPLOADS).as_uri(),
        s3_endpoint_url=environ.get("S3_ENDPOINT_URL") or None,
        keyring=ring.to_json(),
        secret_key=state.secret_key,
        ledger_key=ledger_key.written(),
        ledger_checkpoints=checkpoints.as_uri(),
        wechat_base_url=environ.get("WECHAT_BASE_URL") or NOBODY,
        wechat_app_id=state.wechat_app_id,
        wechat_app_secret=state.wechat_app_secret,
        wecom_base_url=environ.get("WECOM_BASE_URL") or NOBODY,
        wecom_corp_id=state.wecom_corp_id,
        wecom_corp_secret=state.wecom_corp_secret,
        demo=True,
        data_dir=folder,
    )

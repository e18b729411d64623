"""Shows the ledger proving itself: a checkpoint is signed, the ledger exported and verified offline, and a receipt checked.

The verifier runs as the inspector runs it: a process of its own that is handed files and the public key.
"""

import json
import subprocess
import sys
from pathlib import Path

from demo.application import application
from demo.phone import Phone
from demo.state import EXPORT_FILE, LEDGER_KEY_FILE, RECEIPT_FILE, ROOT, DemoError, Township
from server.auditing.checkpoint_folder import CheckpointFolder, signing_key
from server.settings import Settings


def print_verification(settings: Settings, folder: Path, township: Township, visitor: Phone) -> None:
    """Sign, export, verify, and check the receipt of a visitor's last visit; says how to do it again."""
    app = application(settings, folder, township)
    try:
        commands = app.test_cli_runner()
        export = folder / EXPORT_FILE
        for words in (["checkpoint"], ["export", str(export)]):
            done = commands.invoke(args=["ledger", *words])
            if done.exit_code:
                raise DemoError(done.output.strip())
        key = signing_key(settings).public()
        held = max(CheckpointFolder.of(settings).path.glob("*.checkpoint"))
    finally:
        app.extensions["parts"].engine.dispose()
    print("\n留痕离线核验 the ledger, verified offline")
    _verify("export", str(export), "--key", key, "--checkpoint", str(held))
    receipt = folder / RECEIPT_FILE
    items = visitor.get("/visits", limit=1)["items"]
    if items:
        said = visitor.get(f"/visits/{items[0]['id']}/receipt")
        receipt.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
        print("走访回执核验 a worker's receipt")
        _verify("receipt", str(receipt), "--key", key)
    print(f"  签名密钥 signing key: {folder / LEDGER_KEY_FILE}；公钥 public key: {key}")
    print(f"  再核验一次 again: python -m ledger_verify export {export} --key '{key}' --checkpoint {held}")


def _verify(*words: str) -> None:
    done = subprocess.run(  # noqa: S603  (our own verifier)
        [sys.executable, "-m", "ledger_verify", *words],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    for line in done.stdout.splitlines():
        print(f"  {line}")
    if done.returncode:
        raise DemoError("留痕核验没有通过，见上 (the ledger did not verify)")

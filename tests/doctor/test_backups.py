"""How old the backup is, and what keeps it from being read."""

import base64
import datetime as dt

from server.app import create_app
from server.doctor.terms import Part, State
from server.settings import Settings
from server.tools import Tools
from tests.doctor.conftest import Installation


def test_the_age_of_the_backup_is_told(installation: Installation) -> None:
    assert len(installation.found(Part.BACKUP, State.UNKNOWN)) == 1
    for name in ("backup", "keys"):
        (installation.folder / name).mkdir()
    installation.set(
        BACKUP_URL=f"file://{installation.folder}/backup",
        BACKUP_KEYS_URL=f"file://{installation.folder}/keys",
        BACKUP_KEY=base64.b64encode(b"k" * 32).decode(),
    )
    assert installation.found(Part.BACKUP) == ["还没有一份完整的备份。"]
    assert [*(installation.folder / "backup").iterdir(), *(installation.folder / "keys").iterdir()] == []
    app = create_app(Settings.from_env())
    made = app.test_cli_runner().invoke(args=["backup"])
    app.extensions["parts"].engine.dispose()
    assert made.exit_code == 0, made.output
    assert len(installation.found(Part.BACKUP, State.OK)) == 1
    for hours, state in ((3, State.WARNING), (30, State.TROUBLE)):
        later = dt.timedelta(hours=hours, minutes=5)
        installation.tools = Tools(clock=lambda later=later: Tools().clock() + later)
        (sentence,) = installation.found(Part.BACKUP, state)
        assert f"{hours} 小时" in sentence


def test_a_backup_that_cannot_be_read_is_told_without_its_key(installation: Installation) -> None:
    key = base64.b64encode(b"canary" * 5 + b"xx").decode()
    installation.set(BACKUP_URL=f"file://{installation.folder}/unmounted", BACKUP_KEY=key)
    (sentence,) = installation.found(Part.BACKUP)
    assert "文件夹不在" in sentence
    assert not (installation.folder / "unmounted").exists()
    (installation.folder / "unmounted").mkdir()
    assert any("BACKUP_KEYS_URL" in one for one in installation.found(Part.BACKUP))
    assert key not in repr(installation.examine())

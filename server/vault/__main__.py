"""`python -m server.vault new | rotate | remove FILE`: makes and changes the file of a key ring.

Apart from the `flask` commands, since those cannot start before there is a ring.
"""

from collections.abc import Callable
from pathlib import Path

import click

from server.vault.keyring import Keyring, KeyringBroken, load_or_create, replace

FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.group()
def ring() -> None:
    """密钥环文件 the file of the key ring. Whoever loses it loses all that is sealed."""


@ring.command("new")
@FILE
def new(file: Path) -> None:
    """Make a key ring (mode 0600); an existing file is never touched."""
    try:
        _, created = load_or_create(file)
    except KeyringBroken as broken:
        raise click.ClickException(str(broken)) from None
    if not created:
        raise click.ClickException(f"{file} 已存在，没有改动 (is there already and was left alone)")
    click.echo(f"made {file}")


@ring.command("rotate")
@FILE
@click.option("--kid", help="新密钥的名称 name of the new key; the next k<number> by default")
def rotate(file: Path, kid: str | None) -> None:
    """Put a fresh active key on the ring; the old ones stay, and still unlock."""
    before = _read(file)
    name = kid or next(f"k{n}" for n in range(len(before.kek) + 1, 10_000) if f"k{n}" not in before.kek)
    after = _changed(file, lambda: before.with_new_active(name))
    click.echo(f"active: {after.active}; on the ring: {', '.join(sorted(after.kek))}")


@ring.command("remove")
@FILE
@click.argument("kid")
def remove(file: Path, kid: str) -> None:
    """Take an old key off the ring. First see that `flask keyring status` counts 0 for it."""
    before = _read(file)
    after = _changed(file, lambda: before.without(kid))
    click.echo(f"active: {after.active}; on the ring: {', '.join(sorted(after.kek))}")


def _read(file: Path) -> Keyring:
    try:
        return Keyring.parse(file.read_bytes())
    except OSError as broken:
        raise click.ClickException(f"{file}: {broken.strerror}") from None
    except KeyringBroken as broken:
        raise click.ClickException(f"{file}: {broken}") from None


def _changed(file: Path, change: Callable[[], Keyring]) -> Keyring:
    try:
        after = change()
        replace(file, after)
    except KeyringBroken as broken:
        raise click.ClickException(str(broken)) from None
    return after


if __name__ == "__main__":
    ring()

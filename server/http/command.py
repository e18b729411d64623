"""Commands work as the house does: one transaction, the ledger in it, a refusal told as its sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from server.db import unit_of_work
from server.errors import Refusal
from server.http.parts import parts
from server.ledger.work import Work


@contextmanager
def at_work(*, new_keys: int = 0) -> Iterator[Work]:
    """Work as the house, in one transaction; a refusal ends the command with its sentence.

    `new_keys` is how many data keys may be taken.
    """
    house = parts()
    if new_keys:
        house.keys.reserve(new_keys)
    try:
        with unit_of_work(house.sessions) as session:
            work = house.work(session)
            yield work
            work.close()
    except Refusal as refusal:
        for path, sentences in refusal.errors.items():
            click.echo(f"{path}: {' '.join(sentences)}", err=True)
        raise click.ClickException(f"{refusal.code()}: {refusal.detail}") from None

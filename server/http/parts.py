"""The parts that an application is put together from, as the views reach them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from flask import current_app
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from server.db import Sessions
from server.ledger.work import Work
from server.permissions import Actor
from server.settings import Settings
from server.storage import BlobStore
from server.storage.reserve import Reserve
from server.tools import Tools
from server.vault.keys import KeyStore

Who = Callable[[Session, str | None, datetime], Actor]


@dataclass(frozen=True)
class Parts:
    """What `create_app` made once; `who` turns a bearer token into the signed-in worker, `who_is` an id, or they refuse."""

    settings: Settings
    tools: Tools
    engine: Engine
    sessions: Sessions
    keys: KeyStore
    store: BlobStore
    reserve: Reserve
    who: Who
    who_is: Callable[[Session, UUID], Actor]
    settle: Callable[[Work, set[UUID]], None]

    def work(self, session: Session, actor: Actor | None = None, request_id: str | None = None) -> Work:
        """Open a piece of work on a session, for a request, a command or a timer."""
        return Work(session, self.tools, self.keys, self.tools.now(), actor, request_id, settle=self.settle)


def parts() -> Parts:
    """Give the parts of the running application."""
    return cast("Parts", current_app.extensions["parts"])

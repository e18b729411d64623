"""Where a story is played: in this process, cut off at any statement, or against a real server whose workers are killed."""

import json
import threading
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from server.app import create_app
from server.permissions import Actor
from server.tools import Tools
from tests.builders.clock import Clock
from tests.builders.world import World
from tests.faults.harness import Answer, Server, call
from tests.faults.sizes import until
from tests.faults.statements import watch_statements


class PowerCut(BaseException):
    """The process ends here; nothing after this point happens."""


class Cutter:
    """Ends a request at a chosen point of its transaction."""

    def __init__(self) -> None:
        self.place, self.statements, self.fired = "", 0, ""

    def arm(self, place: str, statements: int) -> None:
        self.place, self.statements, self.fired = place, statements, ""

    def watch(self, engine: Engine) -> None:
        def on_statement(_statement: str, _values: object) -> None:
            self.statements -= 1
            if self.place == "statement" and self.statements == 0:
                self._cut()

        watch_statements(engine, on_statement)
        real = engine.dialect.do_commit

        def do_commit(connection: Any) -> None:
            if self.place == "before the commit":
                self._cut()
            real(connection)
            if self.place == "after the commit":
                self._cut()

        engine.dialect.do_commit = do_commit  # type: ignore[method-assign]

    def _cut(self) -> None:
        self.fired, self.place = self.place, ""
        raise PowerCut


@dataclass
class Stage:
    """Where a story plays; `ask` gives None when no answer came."""

    world: World
    workers: dict[str, Actor]
    tokens: list[str]
    reviewer: str
    chief: str
    steps: int = 0
    crashes: int = 0

    def ask(self, token: str, method: str, path: str, body: Any, place: str, at: int) -> Answer | None:
        raise NotImplementedError

    def applied(self) -> bool | None:
        """Say whether the crash was after the commit; None when nobody can know."""
        return None

    def restart(self) -> None:
        raise NotImplementedError


class InProcess(Stage):
    """The application in this process, ended by an exception that nothing catches."""

    def __init__(self, *args: Any, clock: Clock) -> None:
        super().__init__(*args)
        self._settings, self._clock, self._cutter = self.world.house.settings, clock, Cutter()
        self._app = self.world.app
        self._cutter.watch(self.world.house.engine)

    def ask(self, token: str, method: str, path: str, body: Any, place: str, at: int) -> Answer | None:
        self.steps += 1
        self._cutter.arm(place, at)
        try:
            answer = self._app.test_client().open(
                path, method=method, data=json.dumps(body), content_type="application/json",
                headers={"Authorization": f"Bearer {token}"},
            )  # fmt: skip
        except PowerCut:
            self.crashes += 1
            return None
        finally:
            self._cutter.place = ""
        if place == "reply":
            self._cutter.fired = "after the commit"
            return None
        return Answer(answer.status_code, answer.data)

    def applied(self) -> bool | None:
        return self._cutter.fired == "after the commit"

    def end(self) -> None:
        """Close the connections of an application that was started again."""
        if self._app is not self.world.app:
            self._app.extensions["parts"].engine.dispose()

    def restart(self) -> None:
        self.end()
        self._app = create_app(self._settings, Tools(clock=self._clock))
        self._cutter.watch(self._app.extensions["parts"].engine)


class Killed(Stage):
    """The real server, its workers killed with SIGKILL while a request is under way."""

    def __init__(self, *args: Any, server: Server) -> None:
        super().__init__(*args)
        self._server = server

    def ask(self, token: str, method: str, path: str, body: Any, place: str, at: int) -> Answer | None:
        self.steps += 1
        killing = None
        if place in {"statement", "before the commit", "after the commit"}:
            killing = threading.Timer(at * 0.002, self._kill)
            killing.start()
        try:
            answer = call(self._server.port, method, path, token=token, body=json.dumps(body).encode())
        except (OSError, ValueError):
            answer = None
        except Exception as cut:
            if type(cut).__module__ != "http.client":
                raise
            answer = None
        if killing is not None:
            killing.join()
            self._until_it_answers()
        return None if place == "reply" else answer

    def _kill(self) -> None:
        self.crashes += sum(self._server.kill_worker(which) for which in (0, 1))

    def _until_it_answers(self) -> None:
        for _ in until(60, "an answer of the server"):
            if self._server.answers():
                return

    def restart(self) -> None:
        self._server.kill()
        self._server.start()
        self.crashes += 1

"""Fuzzed requests of two identities: every phase of schemathesis, and eyes on every answer for what is not theirs."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn
from uuid import uuid4

import schemathesis
from flask import Flask
from schemathesis.config import (
    ChecksConfig,
    CoveragePhaseConfig,
    ExamplesPhaseConfig,
    FuzzingPhaseConfig,
    GenerationConfig,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
    SimpleCheckConfig,
    StatefulPhaseConfig,
)
from schemathesis.config._checks import NegativeDataRejectionConfig, PositiveDataAcceptanceConfig
from schemathesis.engine import events, from_schema

from server.errors import NotSignedIn
from server.people.models import Person
from server.permissions import Actor
from tests.builders.visits import a_visit_body
from tests.builders.world import World

OFF = SimpleCheckConfig(enabled=False)
REFUSALS = ["400", "401", "403", "404", "405", "409", "411", "413", "415", "422", "429"]
ASIDE = ("/api/v1/auth/session",)
"""Signing out is asked for by other tests: here it would end the search at once."""


def config(seed: int, examples: int) -> SchemathesisConfig:
    """Search in all phases with so many examples for each operation; each check that is off says why."""
    return SchemathesisConfig(
        seed=seed,
        projects=ProjectsConfig(
            default=ProjectConfig(
                generation=GenerationConfig(max_examples=examples, database="none", no_shrink=True),
                checks=ChecksConfig(
                    # Its probe breaks the in-process transport; test_routes.py asks every view without a token.
                    ignored_auth=OFF,
                    # A body may be right in form and wrong in sense (DOMAIN §3): 422 names the field then.
                    positive_data_acceptance=PositiveDataAcceptanceConfig(
                        expected_statuses=["2XX", "304", *REFUSALS]
                    ),
                    negative_data_rejection=NegativeDataRejectionConfig(expected_statuses=REFUSALS),
                ),
                phases=PhasesConfig(
                    examples=ExamplesPhaseConfig(),
                    coverage=CoveragePhaseConfig(generate_duplicate_query_parameters=False),
                    fuzzing=FuzzingPhaseConfig(),
                    stateful=StatefulPhaseConfig(max_steps=8),
                ),
            )
        ),
    )


@dataclass
class Mine:
    """What belongs to one identity: words that only its area's files hold, and the ids of its people and records."""

    token: str
    words: frozenset[str]
    ids: dict[str, str]


@dataclass
class Seen:
    """What the search met; `leaks` and `failures` should stay empty."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    operations: set[tuple[str, str]] = field(default_factory=set)
    phases: Counter[str] = field(default_factory=Counter)
    leaks: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)


def plant(world: World, actor: Actor, visitor: Actor, village: str, mark: str) -> Mine:
    """Put people with canaries into an area: a name, a phone, an address, notes, and a visit that tells more."""
    words = {f"{mark}姓名", f"{mark}备注", f"{mark}住址", f"{mark}照料"}
    person, visit = world.person(visitor, village=village, name=f"{mark}姓名"), uuid4()
    with world.work() as work:
        row = work.session.get_one(Person, person)
        key = work.keys.fetch_one(work.session, row.data_key_id)
        assert key is not None
        row.address_sealed = key.seal(f"{mark}住址", table="persons", column="address_sealed", row=person)
    at = world.clock().isoformat(timespec="seconds")
    photo = {"id": str(uuid4()), "kind": "room"}
    body = a_visit_body(
        person,
        visitors=[str(visitor.worker_id)],
        notes=f"{mark}备注",
        needs=[{"kind": "medical", "detail": f"{mark}照料"}],
        photos=[photo],
        occurred_at=at,
        ended_at=None,
        client_created_at=at,
    )
    answer = world.phone(visitor).put(f"/visits/{visit}", body)
    assert answer.status_code == 201, answer.text
    ids = {"person_id": str(person), "visit_id": str(visit), "photo_id": photo["id"]}
    ids["worker_id"] = str(visitor.worker_id)
    return Mine(world.phone(actor).token, frozenset(words), ids)


class Eyes:
    """A WSGI layer that reads every answer and remembers one that holds a canary of the other side."""

    def __init__(self, application: Any, seen: Seen) -> None:
        self._application, self._seen = application, seen
        self.foreign: frozenset[str] = frozenset()
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        said: list[str] = []

        def begin(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            said.extend([status, *(value for _, value in headers)])
            return start_response(status, headers, *more)

        body = b"".join(self._application(environ, begin))
        told = body.decode("utf-8", "replace") + "\n".join(said)
        with self._lock:
            self._seen.requests += 1
            self._seen.statuses[int(said[0][:3])] += 1
            asked = f"{environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}"
            self._seen.leaks += [
                f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}: {word}"
                for word in self.foreign
                if word in told and word not in asked
            ]
        return [body]


def search(
    app: Flask, me: Mine, other: Mine, seen: Seen, *, seed: int, examples: int, only: str = ""
) -> None:
    """Search all operations as one identity, with the ids of both in the paths; what is found is added to `seen`."""
    eyes = Eyes(app.wsgi_app, seen)
    eyes.foreign = other.words
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app, config=config(seed, examples))
    schema.config.headers = {"Authorization": f"Bearer {me.token}"}
    turn = iter(range(1 << 40))

    @schema.hook
    def map_path_parameters(_context: Any, path_parameters: Any) -> Any:
        """Ask for mine, then for the other's, then for what is invented."""
        number = next(turn) % 3
        known = (me.ids, other.ids, {})[number]
        return {name: known.get(name, value) for name, value in (path_parameters or {}).items()}

    before, app.wsgi_app = app.wsgi_app, eyes  # type: ignore[method-assign]
    try:
        chosen = schema.exclude(path=list(ASIDE))
        chosen = chosen.include(path_regex=only) if only else chosen
        for event in from_schema(chosen).execute():
            for failure in failures_of(event, seen):
                seen.failures.setdefault(failure[:160], failure)
    finally:
        app.wsgi_app = before  # type: ignore[method-assign]


def failures_of(event: events.EngineEvent, seen: Seen) -> Iterator[str]:
    """Tell what an event of the engine found wrong."""
    if isinstance(event, events.ScenarioFinished):
        seen.phases[event.phase.value] += 1
        for found in event.recorder.checks.values():
            for check in found:
                if check.failure_info is not None:
                    failure = check.failure_info.failure
                    yield f"{check.name}: {failure.title} {failure.message}\n{check.failure_info.code_sample}"
    if isinstance(event, events.NonFatalError):
        yield f"{event.label}: {event.info.format()}"


def no_outside(app: Flask) -> None:
    """Let no invented code of WeChat or WeCom be known outside."""

    def refuse(_code: str) -> NoReturn:
        raise NotSignedIn

    app.extensions["identity_providers"] = {"wechat": refuse, "wecom": refuse}


def as_text(seen: Seen) -> str:
    """Tell in one line what was seen."""
    statuses = json.dumps(dict(sorted(seen.statuses.items())))
    return f"{seen.requests} requests, answers {statuses}, scenarios {dict(seen.phases)}"

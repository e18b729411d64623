"""The served API keeps to its own OpenAPI document, whatever is sent to it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
import schemathesis
from flask import Flask
from schemathesis.config import (
    ChecksConfig,
    CoveragePhaseConfig,
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
from server.permissions import Can, Role, may
from tests.builders.world import GUANGDE, SHENGPING, World

ROOT = Path(__file__).parents[2]
OFF = SimpleCheckConfig(enabled=False)


def config() -> SchemathesisConfig:
    """Bound the search; each check that is off says why."""
    return SchemathesisConfig(
        seed=20260305,
        projects=ProjectsConfig(
            default=ProjectConfig(
                generation=GenerationConfig(max_examples=5, database="none"),
                # Its probe breaks the in-process transport; test_every_view.py asks every view without a token.
                checks=ChecksConfig(
                    ignored_auth=OFF,
                    # What no schema can say: cursors are ours alone, some answers are required only together with
                    # others (DOMAIN §3), the calendar ends somewhere. 422 and 415 name the field or the file then.
                    positive_data_acceptance=PositiveDataAcceptanceConfig(
                        expected_statuses=["2XX", "304", "401", "403", "404", "409", "415", "422", "429"]
                    ),
                    # No body at all is 411 (no length).
                    negative_data_rejection=NegativeDataRejectionConfig(
                        expected_statuses=[
                            "400",
                            "401",
                            "403",
                            "404",
                            "405",
                            "409",
                            "411",
                            "413",
                            "415",
                            "422",
                            "429",
                        ]
                    ),
                ),
                phases=PhasesConfig(
                    coverage=CoveragePhaseConfig(generate_duplicate_query_parameters=False),
                    fuzzing=FuzzingPhaseConfig(),
                    stateful=StatefulPhaseConfig(enabled=False),  # tests/journeys tell longer stories
                ),
            )
        ),
    )


def operation_ids() -> list[tuple[str, str]]:
    """List every operation of the document, with the permission that it needs."""
    paths = json.loads((ROOT / "docs" / "openapi.json").read_text())["paths"]
    return [
        (operation["operationId"], operation["x-needs"])
        for item in paths.values()
        for method, operation in item.items()
        if method != "parameters"
    ]


def failures(app: Flask, name: str, token: str) -> Iterator[str]:
    """Search for answers of one operation that break the document."""
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app, config=config())
    schema.config.headers = {"Authorization": f"Bearer {token}"}
    for event in from_schema(schema.include(operation_id=name)).execute():
        if isinstance(event, events.ScenarioFinished):
            for found in event.recorder.checks.values():
                for check in found:
                    if check.failure_info is not None:
                        yield f"{check.name}: {check.failure_info.failure.title} {check.failure_info.failure.message}\n{check.failure_info.code_sample}"
        if isinstance(event, events.NonFatalError):
            yield f"{event.label}: {event.info.format()}"


def _refuse(_code: str) -> NoReturn:
    """Stand in for the outside, which knows none of the invented codes."""
    raise NotSignedIn


@pytest.mark.slow
@pytest.mark.parametrize(("name", "needed"), operation_ids())
def test_every_answer_is_as_described(world: World, name: str, needed: str) -> None:
    visitor = world.worker()
    world.person(visitor)
    crew = {
        Role.VISITOR: visitor,
        Role.CHIEF: world.worker(Role.CHIEF, SHENGPING),
        Role.ADMINISTRATOR: world.worker(Role.ADMINISTRATOR, GUANGDE),
        Role.AUDITOR: world.worker(Role.AUDITOR, GUANGDE),
    }
    allowed = [actor for role, actor in crew.items() if may(role, Can(needed))]
    # One role on each engine: the least that may, and the chief (or whoever else may).
    actor = allowed[0] if world.house.engine.dialect.name == "sqlite" else allowed[:2][-1]
    world.app.extensions["identity_providers"] = {"wechat": _refuse, "wecom": _refuse}
    found = list(failures(world.app, name, world.phone(actor).token))
    assert found == [], "\n\n".join(found[:5])

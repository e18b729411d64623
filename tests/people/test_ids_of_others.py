"""An id that a client made for one person's file is taken for every other file: refused, and nothing is told of whose."""

from typing import Any
from uuid import uuid4

import pytest

from server.permissions import Role
from tests.builders.world import SHENGPING, TUANSHAN, World

FAR, FAR_VILLAGE = "341882100", "341882100009"
ABILITIES = dict.fromkeys(("eat", "dress", "bed", "toilet", "walk", "bathe"), False)
ROWS: dict[str, dict[str, Any]] = {
    "enrolments": {"category": "dibao_rural", "valid_from": "2026-03-01"},
    "assessments": {"can": ABILITIES, "assessed_on": "2026-03-01", "assessor": "县医院"},
    "agreements": {"signed_on": "2026-01-01", "starts_on": "2026-01-01", "ends_on": "2026-12-31"},
    "pauses": {"reason": "hospital", "from_on": "2026-03-05", "to_on": "2026-03-09"},
}


@pytest.mark.parametrize("kind", ROWS)
def test_an_id_of_somebody_else_s_row_is_taken(world: World, kind: str) -> None:
    here, there = world.person(), world.person(village=FAR_VILLAGE)
    ours = world.phone(world.worker(Role.CHIEF, SHENGPING))
    theirs = world.phone(world.worker(Role.CHIEF, FAR))
    sent = {"id": str(uuid4()), **ROWS[kind]}
    for phone, person in ((ours, here), (theirs, there)):
        caring = {"name": "测试照料", "relation": "neighbour"}
        assert phone.put(f"/people/{person}/caregiver", caring).status_code == 200
    assert theirs.post(f"/people/{there}/{kind}", sent).status_code == 201
    answer = ours.post(f"/people/{here}/{kind}", sent)
    assert (answer.status_code, (answer.json or {})["code"]) == (409, "already_exists"), answer.text
    assert str(there) not in answer.text
    assert theirs.post(f"/people/{there}/{kind}", sent).status_code in {200, 201}  # a repeat is still one
    assert TUANSHAN not in answer.text

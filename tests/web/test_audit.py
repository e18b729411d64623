"""The auditor's pages: the ledger is searched by id and day, its checkpoint is compared, an entry is proved, looks are told."""

import re
import secrets
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from server.db import unit_of_work
from server.ledger import sealer
from server.ledger.checkpoints import sign
from server.ledger.models import Checkpoint, Event
from server.ledger.notes import SigningKey
from server.permissions import Role
from tests.builders.world import GUANGDE, SHENGPING, World
from tests.web.conftest import Account, Browser, browser_user

KEY = SigningKey.generate("test", secrets.token_bytes)


def seal(world: World) -> None:
    with unit_of_work(world.house.sessions) as session:
        sealer.seal(session)


def signed(world: World) -> None:
    seal(world)
    with world.work() as work:
        assert sign(work, KEY, []) is not None


@pytest.fixture
def auditor(world: World) -> Account:
    return browser_user(world, Role.AUDITOR, GUANGDE)


@pytest.fixture
def at_audit(browser: Browser, auditor: Account) -> Browser:
    assert browser.sign_in(auditor).status_code == 303
    return browser


def test_the_ledger_is_found_by_actor_subject_action_and_day(
    at_audit: Browser, world: World, auditor: Account
) -> None:
    person = world.person(world.worker(), name="王阿公")
    seal(world)
    for query in (
        {"person_id": person},
        {"subject_kind": "person", "subject_id": person},
        {"action": "person.registered", "from": "2026-03-05", "to": "2026-03-05"},
    ):
        page = at_audit.get("/audit", **query)
        assert page.status_code == 200
        assert str(person) in page.text, query
        assert "登记对象" in page.text
        assert "王阿公" not in page.text
    mine = at_audit.get("/audit", actor_id=auditor.actor.worker_id).text
    assert "查留痕" in mine
    assert str(person) not in re.sub(r"<form.*?</form>", "", mine, flags=re.DOTALL)
    assert "没有符合条件的留痕" in at_audit.get("/audit", person_id=uuid4()).text


def test_a_day_is_meant_where_the_work_is_done_and_the_last_one_is_included(
    browser: Browser, world: World, auditor: Account
) -> None:
    world.clock.move(hours=11, minutes=59)  # 23:59 in Shanghai
    person = world.person(world.worker())
    browser.sign_in(auditor)
    there = {"action": "person.registered", "person_id": person}
    assert str(person) in rows(
        browser.get("/audit", **there, **{"from": "2026-03-05", "to": "2026-03-05"}).text
    )
    assert rows(browser.get("/audit", **there, to="2026-03-04").text) == ""
    assert rows(browser.get("/audit", **there, **{"from": "2026-03-06"}).text) == ""


def rows(page: str) -> str:
    found = re.search(r"<tbody>(.*)</tbody>", page, re.DOTALL)
    return found.group(1) if found else ""


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"person_id": "nobody"}, "编号应当是 UUID"),
        ({"from": "yesterday"}, "应当"),
        ({"to": "9999-12-31"}, "应当"),
        ({"subject_kind": "visit"}, "须同时给出"),
        ({"action": "<script>window.bad=1</script>"}, "格式不对"),
        ({"cursor": "x"}, "翻页标记无效"),
        ({"stranger": "1"}, "没有这一项"),
        ({"limit": "100000"}, "应当在"),
    ],
    ids=["id", "day", "far day", "half", "script", "cursor", "unknown", "limit"],
)
def test_what_cannot_be_asked_is_said_above_the_form_which_keeps_it(
    at_audit: Browser, query: dict[str, str], sentence: str
) -> None:
    page = at_audit.get("/audit", **query)
    assert page.status_code == 422
    assert sentence in page.text
    assert "<script>window" not in page.text
    assert 'id="person_id"' in page.text


def test_pages_of_entries_follow_each_other_without_a_gap(
    at_audit: Browser, world: World, auditor: Account
) -> None:
    people = [world.person(world.worker()) for _ in range(7)]
    seen: list[str] = []
    asking = {"action": "person.registered", "limit": "3"}
    for _ in range(10):
        page = at_audit.get("/audit", **asking).text
        seen += re.findall(r'person_id=([0-9a-f-]{36})"', rows(page))
        following = re.search(r'rel="next" href="[^"]+[?&;]cursor=([^"&]+)', page)
        if following is None:
            break
        asking["cursor"] = following.group(1)
    assert sorted(seen) == sorted(str(one) for one in people)
    assert "回到第一页" in page
    with world.work() as work:
        told = work.session.scalars(
            select(Event.action).where(Event.actor_id == auditor.actor.worker_id)
        ).all()
    assert told.count("ledger.searched") >= 3


def test_without_a_checkpoint_it_is_said_what_is_missing(at_audit: Browser) -> None:
    page = at_audit.get("/audit/checkpoint")
    assert page.status_code == 200
    assert "还没有签过检查点" in page.text
    assert at_audit.get("/audit/checkpoint", number=3).status_code == 404
    assert at_audit.get("/audit/inclusion", seq=1).status_code == 404


def test_the_checkpoint_is_compared_with_the_stored_ledger(at_audit: Browser, world: World) -> None:
    signed(world)
    page = at_audit.get("/audit/checkpoint").text
    assert "相符。" in page
    assert "不相符" not in page
    assert "与上一号相接" not in page
    world.person(world.worker())
    signed(world)
    second = at_audit.get("/audit/checkpoint").text
    assert "第 1 号" in second
    assert "只有追加" in second
    api = world.phone(world.worker(Role.AUDITOR, GUANGDE))
    sizes = [api.get("/ledger/checkpoint", number=number).json["size"] for number in (1, 2)]
    proof = api.get("/ledger/proofs/consistency", **{"from": sizes[0], "to": sizes[1]}).json["proof"]
    assert re.findall(r"<li><code>([0-9a-f]{64})</code>", second) == proof
    with unit_of_work(world.house.sessions) as session:
        session.add(Checkpoint(number=3, size=2, root=bytes(32), note="forged", signed_at=world.clock()))
    forged = at_audit.get("/audit/checkpoint").text
    assert "不相符" in forged
    assert "只有追加" not in forged


def test_an_entry_is_proved_against_the_last_checkpoint(at_audit: Browser, world: World) -> None:
    world.person(world.worker())
    signed(world)
    page = at_audit.get("/audit/inclusion", seq=1)
    assert page.status_code == 200
    shown = set(re.findall(r"<code>([0-9a-f]{64})</code>", page.text))
    api = world.phone(world.worker(Role.AUDITOR, GUANGDE)).get("/ledger/proofs/inclusion", seq=1).json
    assert {api["leaf_hash"], api["root"], *api["proof"]} == shown
    seal(world)
    later = at_audit.get("/audit/inclusion", seq=api["size"] + 1)
    assert "还没有被检查点包含" in later.text
    for wrong in ({"seq": "0"}, {"seq": "x"}, {"size": 2}, {"seq": 1, "size": 10**9}):
        assert at_audit.get("/audit/inclusion", **wrong).status_code == 422


def test_the_township_sees_by_name_who_looked_and_the_auditor_by_id(
    browser: Browser, reviewer: Account, world: World, auditor: Account
) -> None:
    person, other = world.person(world.worker(), name="王阿公"), world.person(world.worker())
    phone = world.phone(world.worker(Role.CHIEF, SHENGPING))
    phone.get(f"/archives/{person}")
    phone.post(f"/archives/{person}/reveal", {"field": "phone", "reason": "联系本人核实"})
    seal(world)
    browser.sign_in(reviewer)
    page = browser.get(f"/archives/{person}/looks")
    assert page.status_code == 200
    assert "王阿公" in page.text
    assert "测试民政负责人" in rows(page.text)
    assert "查看原始信息：" in rows(page.text)
    assert "联系本人核实" not in page.text
    assert "测试民政负责人" not in browser.get(f"/archives/{other}/looks").text
    assert browser.get("/audit").status_code == 403
    browser.post("/sign-out")
    browser.sign_in(auditor)
    seal(world)
    by_id = browser.get("/audit/looks", person_id=person)
    assert "测试审核人员" in rows(by_id.text)
    assert "查看谁看过" in rows(by_id.text)
    assert "王阿公" not in by_id.text
    assert browser.get(f"/archives/{person}/looks").status_code == 403
    assert browser.get("/audit/looks").status_code == 200
    assert browser.get("/audit/looks", person_id="x").status_code == 422
    assert "没有人看过这个编号" in browser.get("/audit/looks", person_id=uuid4()).text


def test_whoever_is_out_of_sight_has_no_page_of_looks(browser: Browser, world: World) -> None:
    far = browser_user(world, Role.REVIEWER, "341882100")
    browser.sign_in(far)
    person = world.person(world.worker())
    assert browser.get(f"/archives/{person}/looks").status_code == 404
    assert browser.get(f"/archives/{UUID(int=7)}/looks").status_code == 404


def test_the_first_page_leads_an_auditor_to_all_that_is_theirs(at_audit: Browser) -> None:
    home = at_audit.get("/").text
    for address in ("/web/audit", "/web/audit/looks", "/web/audit/checkpoint"):
        assert f'class="card card-body" href="{address}"' in home

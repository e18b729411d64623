"""Handing people over from one worker to another, and who answers for a person: the chief's pages (移交与责任人)."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from api_schemas import people as wire
from api_schemas.wire import Many, Strict, UuidField
from server.accounts.recorders import recorders_within
from server.errors import Invalid, Refusal, StaleRevision
from server.http.guard import work
from server.people import handing_over
from server.people.answering import answering, people_of
from server.people.sight import see
from server.people.terms import LIMITS, HandOver
from server.permissions import Can
from server.web import showing
from server.web.door import shows
from server.web.features import Entry, feature
from server.web.forms import asked, sent

blueprint = feature("handing_over")
ENTRY = Entry(
    "移交",
    "web_handing_over.hand_over_page",
    Can.HAND_OVER,
    "把一人名下的对象移交给另一人，指定责任人和代理责任人",
)
DONE: Final[Mapping[str, str]] = {
    "handed": "已移交。接手的人下次同步手机时会收到。",
    "responsible": "已指定责任人。",
    "deputies": "已设定代理责任人。",
}


class FromAsked(Strict):
    """Whose people."""

    from_worker = UuidField(load_default=None)


@blueprint.get("/hand-overs")
@shows(Can.HAND_OVER)
def hand_over_page(
    refusal: Refusal | None = None, typed: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    """Ask from whom, then to whom, whom and why; the id of the hand-over is made here."""
    giver = _giver(typed)
    people, more = people_of(work(), giver) if giver else ([], False)
    return showing.page(
        "hand_over.html",
        workers=recorders_within(work().session, work().actor.area_code),
        giver=giver,
        people=people,
        more=more,
        chosen=set(request.form.getlist("person_ids")) if refusal else {str(one.id) for one in people},
        new_id=(typed or {}).get("id") or str(work().new_id()),
        typed=typed or {},
        refusal=refusal,
        done=DONE.get(request.args.get("done", "")),
    )


def _giver(typed: Mapping[str, str] | None) -> UUID | None:
    """Say whose people are shown: of a form that was refused, as far as it says, or of the address."""
    if typed is None:
        found: UUID | None = asked(FromAsked)["from_worker"]
        return found
    try:
        return UUID(typed.get("from_worker", ""))
    except ValueError:
        return None


@blueprint.post("/hand-overs")
@shows(Can.HAND_OVER, again=hand_over_page)
def post_hand_over() -> ResponseReturnValue:
    """Hand over, all or nothing; sent twice, it is done once."""
    if request.form.get("sure") != "1":
        raise Invalid(errors={"sure": ["请核对名单和接手人，勾选确认后再移交。"]})
    body = sent(wire.HandOverIn, lists=("person_ids",), leave_out=("sure", "all"))
    everybody = request.form.get("all") == "1"
    if not everybody and not body["person_ids"]:
        raise Invalid(errors={"person_ids": ["请至少选择一人。"]})
    command = HandOver(**(body | {"person_ids": None if everybody else body["person_ids"]}))
    handing_over.hand_over(work(), command)
    return redirect(url_for("web_handing_over.hand_over_page", done="handed"), 303)


@blueprint.get("/people/<uuid:person_id>/responsible")
@shows(Can.HAND_OVER)
def responsible_page(
    person_id: UUID, refusal: Refusal | None = None, typed: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    """Show who answers for a person, and let it be changed."""
    found: dict[str, Any] = answering(work(), person_id)
    return showing.page(
        "responsible.html",
        person=found,
        deputies={one["id"] for one in found["deputies"]},
        workers=recorders_within(work().session, work().actor.area_code),
        most=LIMITS.most_deputies,
        refusal=refusal,
        typed=typed or {},
        done=DONE.get(request.args.get("done", "")),
    )


@blueprint.post("/people/<uuid:person_id>/responsible")
@shows(Can.HAND_OVER, again=responsible_page)
def post_responsible(person_id: UUID) -> ResponseReturnValue:
    """Make a worker responsible, unless somebody else did so meanwhile."""
    body = sent(_Responsible)
    see(work(), person_id, to_change=True)
    held = handing_over.held_by_person(work(), [person_id])
    now = next((one.worker_id for one in held if one.kind is handing_over.RESPONSIBLE), None)
    if now not in {body["seen"], body["worker_id"]}:
        raise StaleRevision("责任人刚刚被调整过，请看清现在的责任人后再办。")
    handing_over.assign(work(), person_id, body["worker_id"])
    return _to(person_id, "responsible")


@blueprint.post("/people/<uuid:person_id>/deputies")
@shows(Can.HAND_OVER, again=responsible_page)
def post_deputies(person_id: UUID) -> ResponseReturnValue:
    """Set who deputises; those not ticked stop."""
    chosen = sent(_Deputies, lists=("worker_ids",))["worker_ids"]
    handing_over.set_deputies(work(), person_id, chosen)
    return _to(person_id, "deputies")


class _Responsible(wire.ResponsibleIn):
    """Who is responsible from now on, in place of whom the form showed."""

    seen = UuidField(load_default=None)


class _Deputies(Strict):
    """Who deputises; a form in which nobody is ticked says nobody."""

    worker_ids = Many(UuidField(), most=20, distinct=True, load_default=())


def _to(person_id: UUID, done: str) -> ResponseReturnValue:
    work().session.flush()
    return redirect(url_for("web_handing_over.responsible_page", person_id=person_id, done=done), 303)

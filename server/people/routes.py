"""People over HTTP (CONTRACT §7): every change answers with the file as it is after it."""

from typing import Any
from uuid import UUID

from flask import Response
from flask.typing import ResponseReturnValue

from api_schemas import people as wire
from server.http.answer import answer, nothing
from server.http.blueprint import Blueprint
from server.http.guard import needs, work
from server.people import caring, enrolling, handing_over, pausing, registering, terms
from server.people.models import CareAgreement, CareAssessment, Enrolment, Pause, Person
from server.people.showing import shown
from server.people.sight import see
from server.permissions import Can

blueprint = Blueprint("people", __name__, description="救助对象")
Body = dict[str, Any]


@blueprint.post("/people")
@needs(Can.EDIT_PEOPLE, new_keys=1)
@blueprint.arguments(wire.NewPersonIn)
@blueprint.response(201, wire.PersonFileOut)
@blueprint.alt_response(200, schema=wire.PersonFileOut, description="同样的内容已登记过")
def register(body: Body) -> ResponseReturnValue:
    """登记救助对象。同一编号、同样内容重复提交返回 200，内容不同返回 409。"""
    status = _status(Person, body["id"])
    enrolment = body.pop("enrolment")
    new = terms.NewPerson(**body, enrolment=terms.NewEnrolment(**enrolment) if enrolment else None)
    return _file(registering.register_person(work(), new).id, status)


@blueprint.get("/people/<uuid:person_id>")
@needs(Can.SEE_ARCHIVES)
@blueprint.response(200, wire.PersonFileOut)
def read(person_id: UUID) -> ResponseReturnValue:
    """一名救助对象的登记信息。"""
    see(work(), person_id)
    work().looked("person.read", "person", person_id, person_id=person_id)
    return _file(person_id)


@blueprint.put("/people/<uuid:person_id>")
@needs(Can.EDIT_PEOPLE)
@blueprint.arguments(wire.PersonRevisionQuery, location="query")
@blueprint.arguments(wire.PersonChangeIn)
@blueprint.response(200, wire.PersonFileOut)
def change(query: dict[str, int], body: Body, person_id: UUID) -> ResponseReturnValue:
    """修改登记信息：没有写的保持不变，null 表示清空。"""
    registering.change_person(work(), person_id, terms.PersonChange(**body), revision=query["revision"])
    return _file(person_id)


@blueprint.post("/people/<uuid:person_id>/enrolments")
@needs(Can.EDIT_PEOPLE)
@blueprint.arguments(wire.EnrolmentIn)
@blueprint.response(201, wire.PersonFileOut)
@blueprint.alt_response(200, schema=wire.PersonFileOut, description="同样的内容已登记过")
def enrol(body: Body, person_id: UUID) -> ResponseReturnValue:
    """纳入救助类别；`replaces` 表示由另一类别转来。"""
    status = _status(Enrolment, body["id"])
    enrolling.enrol(work(), person_id, terms.NewEnrolment(**body))
    return _file(person_id, status)


@blueprint.post("/people/<uuid:person_id>/enrolments/<uuid:enrolment_id>/end")
@needs(Can.EDIT_PEOPLE)
@blueprint.arguments(wire.EnrolmentEndIn)
@blueprint.response(200, wire.PersonFileOut)
def end_enrolment(body: Body, person_id: UUID, enrolment_id: UUID) -> ResponseReturnValue:
    """退出救助类别；`valid_to` 是最后一天。"""
    enrolling.end_enrolment(work(), person_id, enrolment_id, terms.EndOfEnrolment(**body))
    return _file(person_id)


@blueprint.post("/people/<uuid:person_id>/assessments")
@needs(Can.EDIT_PEOPLE)
@blueprint.arguments(wire.AssessmentIn)
@blueprint.response(201, wire.PersonFileOut)
@blueprint.alt_response(200, schema=wire.PersonFileOut, description="同样的内容已登记过")
def assess(body: Body, person_id: UUID) -> ResponseReturnValue:
    """登记生活自理能力评估；最新一次决定护理等级。"""
    status = _status(CareAssessment, body["id"])
    body["can"] = {ability: body["can"][ability] for ability in terms.Ability}
    caring.assess(work(), person_id, terms.Assessment(**body))
    return _file(person_id, status)


@blueprint.put("/people/<uuid:person_id>/home")
@needs(Can.EDIT_PEOPLE)
@blueprint.arguments(wire.HomeIn)
@blueprint.response(200, wire.PersonFileOut)
def set_home(body: Body, person_id: UUID) -> ResponseReturnValue:
    """标定住处位置。"""
    caring.set_home(work(), person_id, terms.NewHome(**body))
    return _file(person_id)


@blueprint.put("/people/<uuid:person_id>/caregiver")
@needs(Can.EDIT_PEOPLE)
@blueprint.arguments(wire.CaregiverIn)
@blueprint.response(200, wire.PersonFileOut)
def set_caregiver(body: Body, person_id: UUID) -> ResponseReturnValue:
    """登记或更换照料服务人。"""
    caring.set_caregiver(work(), person_id, terms.NewCaregiver(**body))
    return _file(person_id)


@blueprint.delete("/people/<uuid:person_id>/caregiver")
@needs(Can.EDIT_PEOPLE)
@blueprint.response(204)
def no_caregiver(person_id: UUID) -> ResponseReturnValue:
    """照料服务人不再照料，且暂无他人。"""
    caring.set_caregiver(work(), person_id, None)
    return nothing()


@blueprint.post("/people/<uuid:person_id>/agreements")
@needs(Can.EDIT_PEOPLE)
@blueprint.arguments(wire.AgreementIn)
@blueprint.response(201, wire.PersonFileOut)
@blueprint.alt_response(200, schema=wire.PersonFileOut, description="同样的内容已登记过")
def agree(body: Body, person_id: UUID) -> ResponseReturnValue:
    """登记委托照料服务协议；期限重叠的旧协议由它代替。"""
    status = _status(CareAgreement, body["id"])
    caring.agree(work(), person_id, terms.NewAgreement(**body))
    return _file(person_id, status)


@blueprint.put("/people/<uuid:person_id>/tags")
@needs(Can.EDIT_PEOPLE)
@blueprint.arguments(wire.PersonTagsIn)
@blueprint.response(200, wire.PersonFileOut)
def set_tags(body: Body, person_id: UUID) -> ResponseReturnValue:
    """设定全部标签；没有写的到昨天为止。"""
    caring.set_tags(work(), person_id, [terms.TagGiven(**one) for one in body["tags"]])
    return _file(person_id)


@blueprint.put("/people/<uuid:person_id>/photo-consent")
@needs(Can.EDIT_PEOPLE)
@blueprint.arguments(wire.PhotoConsentIn)
@blueprint.response(200, wire.PersonFileOut)
def set_photo_consent(body: Body, person_id: UUID) -> ResponseReturnValue:
    """登记本人是否同意拍照。"""
    caring.set_photo_consent(work(), person_id, given=body["photo_consent"])
    return _file(person_id)


@blueprint.post("/people/<uuid:person_id>/pauses")
@needs(Can.EDIT_PEOPLE)
@blueprint.arguments(wire.PauseIn)
@blueprint.response(201, wire.PersonFileOut)
@blueprint.alt_response(200, schema=wire.PersonFileOut, description="同样的内容已登记过")
def pause(body: Body, person_id: UUID) -> ResponseReturnValue:
    """暂停入户走访（住院、外出、试住机构）；期间仍须联系一次。"""
    status = _status(Pause, body["id"])
    pausing.pause(work(), person_id, terms.NewPause(**body))
    return _file(person_id, status)


@blueprint.delete("/people/<uuid:person_id>/pauses/<uuid:pause_id>")
@needs(Can.EDIT_PEOPLE)
@blueprint.response(204)
def end_pause(person_id: UUID, pause_id: UUID) -> ResponseReturnValue:
    """提前结束暂停：今天起恢复走访。"""
    pausing.end_pause(work(), person_id, pause_id)
    return nothing()


@blueprint.post("/people/<uuid:person_id>/death")
@needs(Can.EDIT_PEOPLE)
@blueprint.arguments(wire.DeathIn)
@blueprint.response(200, wire.PersonFileOut)
def record_death(body: Body, person_id: UUID) -> ResponseReturnValue:
    """登记死亡；所有救助类别到当日为止。"""
    enrolling.record_death(work(), person_id, terms.Death(**body))
    return _file(person_id)


@blueprint.put("/people/<uuid:person_id>/responsible")
@needs(Can.HAND_OVER)
@blueprint.arguments(wire.ResponsibleIn)
@blueprint.response(200, wire.PersonFileOut)
def assign(body: Body, person_id: UUID) -> ResponseReturnValue:
    """指定探视责任人。"""
    handing_over.assign(work(), person_id, body["worker_id"])
    return _file(person_id)


@blueprint.put("/people/<uuid:person_id>/deputies")
@needs(Can.HAND_OVER)
@blueprint.arguments(wire.DeputiesIn)
@blueprint.response(200, wire.PersonFileOut)
def set_deputies(body: Body, person_id: UUID) -> ResponseReturnValue:
    """设定代理责任人；没有写的不再代理。"""
    handing_over.set_deputies(work(), person_id, body["worker_ids"])
    return _file(person_id)


@blueprint.post("/people/hand-overs")
@needs(Can.HAND_OVER)
@blueprint.arguments(wire.HandOverIn)
@blueprint.response(200, wire.HandOverOut)
def hand_over(body: Body) -> ResponseReturnValue:
    """把一人名下的对象移交给另一人：要么全部移交，要么都不移交。"""
    return answer({"person_ids": handing_over.hand_over(work(), terms.HandOver(**body))})


def _file(person_id: UUID, status: int = 200) -> Response:
    work().session.flush()
    return answer(shown(work(), [person_id])[person_id], status)


def _status(kind: type[Any], made: UUID) -> int:
    """Say 200 for what is there already (the use case decides whether it is the same), 201 for what is new."""
    return 201 if work().session.get(kind, made) is None else 200

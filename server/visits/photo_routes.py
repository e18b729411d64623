"""Photos over HTTP (CONTRACT §5): taken in with no transaction open, shown small, originals to few."""

import datetime as dt
import hashlib
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast
from uuid import UUID

from flask import Response, g, request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError

from api_schemas.photos import LinkOut, LinkQuery, PhotoOut, PhotoQuery, UploadForm, UploadIn
from server.db import look, unit_of_work
from server.errors import Invalid, NotAllowed, Refusal
from server.http.answer import answer
from server.http.blueprint import Blueprint
from server.http.body import flat
from server.http.guard import in_one_look, in_one_transaction, needs, work
from server.http.parts import parts
from server.http.upload import read_upload
from server.permissions import Can
from server.photos import viewing
from server.photos.intake import LIMITS, drop, take_in
from server.photos.terms import Size
from server.photos.viewing import LINK_LIVES, Found, check_signature, signature
from server.visits import photographing
from server.visits.photographing import Upload

blueprint = Blueprint("photos", __name__, description="照片")

KEPT_IN_MEMORY = 1 << 20
"""Bytes of an upload above which it goes to an unlinked temporary file; never a named one, as it is not sealed yet."""

UPLOAD = UploadIn()
UPLOAD_FORM = {"required": True, "content": {"multipart/form-data": {"schema": UploadForm}}}


@blueprint.post("/visits/<uuid:visit_id>/photos")
@needs(Can.RECORD_VISITS, own_transactions=True)
@blueprint.response(201, PhotoOut)
@blueprint.alt_response(200, schema=PhotoOut, description="同样的照片已收到过")
@blueprint.doc(requestBody=UPLOAD_FORM)
def upload(visit_id: UUID) -> ResponseReturnValue:
    """上传一张照片（先提交走访记录）。同样的照片再传一次不会重复保存；原件不会被替换。"""
    house = parts()
    # Nothing is read from somebody who may not send it. `attach` asks again: sight may have changed meanwhile.
    place = in_one_look(Can.RECORD_VISITS, lambda: photographing.place_for(work(), visit_id))
    form, content = _received()
    there = place.known.get(form.photo_id)
    if there is None:
        with look(house.sessions) as session:
            there = photographing.known(session, place, form.photo_id)
    sha256 = hashlib.sha256(content).digest()
    if photographing.compare(form, sha256, there):
        return in_one_transaction(Can.RECORD_VISITS, lambda: _answer(form.photo_id))
    taken = take_in(
        content,
        photo_id=form.photo_id,
        sha256=sha256,
        key=place.key,
        store=house.store,
        random_bytes=house.tools.random_bytes,
    )

    def attach() -> tuple[Response, bool]:
        shown, is_new = photographing.attach(work(), visit_id, form, taken)
        return answer(shown, 201 if is_new else 200), is_new

    try:
        response, is_new = in_one_transaction(Can.RECORD_VISITS, attach)
    except Refusal:
        drop(taken, house.store)
        raise
    if not is_new:  # a twin was quicker, and its row names its own blob
        drop(taken, house.store)
    return response


@blueprint.get("/photos/<uuid:photo_id>")
@needs(Can.SEE_PHOTOS, own_transactions=True)
@blueprint.arguments(PhotoQuery, location="query")
@blueprint.doc(
    responses={
        "200": {
            "description": "照片",
            "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
        }
    }
)
def get_photo(query: dict[str, Any], photo_id: UUID) -> ResponseReturnValue:
    """照片：缩略图、浏览图不含任何元数据；原图仅部分岗位可取，并留痕。"""
    size: Size = query["size"]
    if query["signature"] is None:
        seen = in_one_look(Can.SEE_PHOTOS, lambda: found(photo_id, size))
        return picture(seen, size)
    house = parts()
    if query["worker"] is None or query["expires"] is None:
        raise Invalid(errors={"signature": ["签名链接不完整。"]})
    check_signature(
        house.settings.secret_key,
        photo_id,
        size,
        query["worker"],
        query["expires"],
        query["signature"],
        house.tools.now(),
    )
    try:
        with look(house.sessions) as session:
            g.work = house.work(session, house.who_is(session, query["worker"]), g.request_id)
            if not g.work.actor.may(Can.SEE_PHOTOS):  # the role may have changed since the link was signed
                raise NotAllowed
            seen = found(photo_id, size)
            g.work.close()
    except Refusal as refusal:
        if refusal.leaves is not None:
            with unit_of_work(house.sessions) as session:
                refusal.leaves(session)
        raise
    return picture(seen, size)


@blueprint.get("/photos/<uuid:photo_id>/link")
@needs(Can.SEE_PHOTOS)
@blueprint.arguments(LinkQuery, location="query")
@blueprint.response(200, LinkOut)
def get_link(query: dict[str, Any], photo_id: UUID) -> ResponseReturnValue:
    """供 `<img>` 使用的签名链接，十分钟内有效。"""
    size: Size = query["size"]
    _may_open(size)
    photographing.seen(work(), photo_id)
    worker = work().actor.worker_id
    expires = int(work().now.timestamp()) + LINK_LIVES
    signed = signature(parts().settings.secret_key, photo_id, size, worker, expires)
    return answer(
        {
            "url": f"/api/v1/photos/{photo_id}?size={size}&worker={worker}&expires={expires}&signature={signed}",
            "expires_at": dt.datetime.fromtimestamp(expires, tz=dt.UTC),
        }
    )


def _received() -> tuple[Upload, bytes]:
    """Receive the form and the photo; what comes slowly waits outside of memory."""
    with SpooledTemporaryFile(max_size=KEPT_IN_MEMORY) as unsealed:
        sent = read_upload(request, cast("BinaryIO", unsealed), LIMITS.max_bytes)
        unsealed.seek(0)
        content = unsealed.read()
    try:
        return Upload(**UPLOAD.load(sent)), content
    except ValidationError as error:
        raise Invalid(errors=flat(error.messages)) from None


def _answer(photo_id: UUID) -> Response:
    return answer(photographing.shown(work(), photographing.seen(work(), photo_id).photo))


def _may_open(size: Size) -> None:
    if size is Size.ORIGINAL and not work().actor.may(Can.SEE_ORIGINALS):
        raise NotAllowed("只有审核人员可以查看原图。")


def found(photo_id: UUID, size: Size) -> Found:
    """Let the viewer through, leave the ledger line, and say where the bytes are."""
    seen = photographing.seen(work(), photo_id, viewing.BOXES.get(size, 0))
    _may_open(size)
    action = "photo.original_read" if size is Size.ORIGINAL else "photo.read"
    work().looked(action, "photo", photo_id, person_id=seen.photo.person_id, size=size)
    return Found(photo_id, seen.photo.format, seen.photo.blob_key, seen.rendition_key, seen.key)


def picture(seen: Found, size: Size) -> Response:
    """Answer with a picture; the first view makes the small ones, with no transaction open meanwhile."""
    house = parts()
    if size is Size.ORIGINAL:
        response = Response(viewing.original(seen, house.store), content_type=f"image/{seen.format}")
        name = f"{seen.photo_id}.{seen.format}"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    elif seen.rendition_key is not None:
        response = Response(viewing.rendition(seen, house.store), content_type="image/jpeg")
    else:
        made = viewing.make(seen, house.store, house.tools.random_bytes)
        with unit_of_work(house.sessions) as session:
            unneeded = viewing.remember(house.work(session), seen.photo_id, made)
        for blob_key in unneeded:
            house.store.delete(blob_key)
        picture = next(one.picture for one in made if one.box == viewing.BOXES[size])
        response = Response(picture, content_type="image/jpeg")
    response.headers["Cache-Control"] = "private, max-age=600"
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    return response

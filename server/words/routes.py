"""The vocabularies over HTTP (CONTRACT §1)."""

import hashlib

from flask import Response, request
from flask.typing import ResponseReturnValue

from api_schemas.words import TermsOut
from server.http.answer import wire_json
from server.http.blueprint import Blueprint
from server.http.guard import needs
from server.permissions import Can
from server.words.glossary import glossary

blueprint = Blueprint("words", __name__, description="词表")

FRESH_S = 3600
"""Seconds for which a phone may keep the words without asking again."""


@blueprint.get("/terms")
@needs(Can.ANYONE, own_transactions=True)
@blueprint.response(200, TermsOut)
@blueprint.alt_response(304, description="没有变化（If-None-Match）")
def get_terms() -> ResponseReturnValue:
    """全部词表（值、中文名称、出处）和走访表单的问题。不含个人信息，无需登录，可缓存。"""
    text = wire_json(glossary())
    response = Response(text, content_type="application/json")
    response.set_etag(hashlib.sha256(text).hexdigest()[:32])
    response.headers["Cache-Control"] = f"public, max-age={FRESH_S}"
    response.make_conditional(request)
    return response

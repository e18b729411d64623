"""Gives the style sheets and scripts of the pages: files of ours or vendored ones, kept by browsers for ever."""

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from server.errors import NotFound
from server.http.guard import needs
from server.permissions import Can
from server.web.features import PREFIX
from server.web.showing import STATIC, digest_of

blueprint = Blueprint("web_files", __name__, url_prefix=PREFIX, template_folder="templates")

TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
FILES = {
    path.relative_to(STATIC).as_posix(): path for path in sorted(STATIC.rglob("*")) if path.suffix in TYPES
}
"""Every file that is given, by its name in the address: nothing that a request names is looked for on the disk."""


@blueprint.get("/static/<path:name>")
@needs(Can.ANYONE, own_transactions=True)
def file(name: str) -> ResponseReturnValue:
    """Give one file; under the address with its digest it never changes."""
    path = FILES.get(name)
    if path is None:
        raise NotFound
    response = Response(path.read_bytes(), content_type=TYPES[path.suffix])
    is_dated = request.args.get("v") == digest_of(name)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_dated else "no-cache"
    response.set_etag(digest_of(name))
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.make_conditional(request)
    return response

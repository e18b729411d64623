"""Every error leaves as RFC 9457 `application/problem+json`, in Chinese, with a stable code."""

import errno
import json
from collections.abc import Iterator
from http import HTTPStatus

import structlog
from flask import Flask, Response, g
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from werkzeug.exceptions import HTTPException

from server import errors
from server.db import is_disk_full
from server.errors import Refusal
from server.http.guard import UNREACHABLE

log = structlog.get_logger()

BY_STATUS: dict[int, type[Refusal]] = {
    400: errors.NotJson,
    401: errors.NotSignedIn,
    403: errors.NotAllowed,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    409: errors.Conflict,
    411: errors.LengthRequired,
    413: errors.TooLarge,
    415: errors.WrongType,
    422: errors.Invalid,
    429: errors.TooMany,
    503: errors.Unavailable,
    507: errors.StoreFull,
}


def catalogue(root: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    """Walk every kind of refusal that the running house knows."""
    for kind in root.__subclasses__():
        yield kind
        yield from catalogue(kind)


def slug(kind: type[Refusal]) -> str:
    """Give the last part of a problem's type URI."""
    return kind.code().replace("_", "-")


def document(refusal: Refusal) -> Response:
    """Write a refusal as a problem document."""
    body = {
        "type": f"/problems/{slug(type(refusal))}",
        "title": refusal.title,
        "status": int(refusal.kind),
        "detail": refusal.detail,
        "code": refusal.code(),
        "errors": {path or "body": list(sentences) for path, sentences in refusal.errors.items()},
        "request_id": g.get("request_id"),
        **refusal.extra,
    }
    answer = Response(
        json.dumps(body, ensure_ascii=False, default=str),
        status=int(refusal.kind),
        content_type="application/problem+json",
    )
    if refusal.retry_after is not None:
        answer.headers["Retry-After"] = str(refusal.retry_after)
    if refusal.kind is errors.Kind.UNAUTHENTICATED:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def refusal_of(error: Exception) -> Refusal:
    """Say in the words of the catalogue what went wrong; what nobody foresaw is logged, without a datum."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, HTTPException):
        return _of_http(error)
    if isinstance(error, SQLAlchemyError):
        return _of_database(error)
    return _of_anything(error)


def from_http(error: HTTPException) -> Response:
    """Write what the framework itself refused (no such path, wrong method, too large) as a problem document."""
    answer = document(_of_http(error))
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after"}:
            answer.headers[name] = value
    return answer


def from_anything(error: Exception) -> Response:
    """Write what went wrong as a problem document; no trace and no datum leaves, the log names where it happened."""
    return document(refusal_of(error))


def _of_http(error: HTTPException) -> Refusal:
    kind = BY_STATUS.get(error.code or 500)
    if kind is None:
        kind = errors.NotJson if (error.code or 500) < HTTPStatus.INTERNAL_SERVER_ERROR else errors.Broken
    return kind()


def _of_database(error: SQLAlchemyError) -> Refusal:
    """Say "try again" when the database does not answer, and "broken" when we asked it wrongly."""
    if is_disk_full(error):
        return errors.StoreFull()
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    if isinstance(error, UNREACHABLE) or lost:
        log.warning("database_unavailable", kind=type(error).__name__)
        return errors.Unavailable()
    return _of_anything(error)


def _of_anything(error: Exception) -> Refusal:
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return errors.StoreFull()
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    log.error(
        "unforeseen",
        kind=type(error).__name__,
        file=place.tb_frame.f_code.co_filename.rpartition("server/")[2] if place else None,
        line=place.tb_lineno if place else None,
    )
    return errors.Broken()


def install(app: Flask) -> None:
    """Make every error of an application leave as a problem document."""
    app.register_error_handler(Refusal, document)
    app.register_error_handler(HTTPException, from_http)
    app.register_error_handler(SQLAlchemyError, from_anything)
    app.register_error_handler(Exception, from_anything)

    @app.get("/problems/<name>")
    def problem_page(name: str) -> tuple[str, int, dict[str, str]]:
        for kind in catalogue():
            if slug(kind) == name:
                words = f"{kind.title}（{int(kind.kind)}）\n{kind.detail}\n\n{kind.__doc__ or ''}\n"
                return words, 200, {"Content-Type": "text/plain; charset=utf-8"}
        raise errors.NotFound

    problem_page.__dict__["needs"] = "anyone"

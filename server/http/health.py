"""Whether this process lives, whether it can serve, and its figures."""

from flask import Blueprint, Response, abort, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from server.errors import Refusal
from server.http.guard import needs
from server.http.log import REGISTRY
from server.http.parts import Parts, parts
from server.permissions import Can
from server.schema import Standing, standing

health = Blueprint("health", __name__)


@health.get("/healthz")
@needs(Can.ANYONE, own_transactions=True)
def healthz() -> ResponseReturnValue:
    """Say that the process answers."""
    return jsonify({"status": "ok"})


@health.get("/readyz")
@needs(Can.ANYONE, own_transactions=True)
def readyz() -> ResponseReturnValue:
    """Say whether database, schema and storage are ready; 503 names the part that is not."""
    house = parts()
    state = {"database": _database(house), "schema": _schema(house), "storage": _storage(house)}
    # A schema that is ahead is a later version's, which this one may go on over while the upgrade rolls.
    ready = all(value in {"ok", "ahead"} for value in state.values())
    return jsonify({"status": "ok" if ready else "not_ready", "parts": state}), 200 if ready else 503


@health.get("/metrics")
@needs(Can.ANYONE, own_transactions=True)
def metrics() -> ResponseReturnValue:
    """Give Prometheus its figures; answered to this machine only, the proxy never forwards it."""
    if request.remote_addr not in {"127.0.0.1", "::1"} or request.headers.get("X-Forwarded-For"):
        abort(404)
    return Response(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def _database(house: Parts) -> str:
    try:
        with house.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return "unreachable"
    return "ok"


def _schema(house: Parts) -> str:
    try:
        with house.engine.connect() as connection:
            found = standing(connection)
    except SQLAlchemyError:
        return "unreachable"
    return "behind" if found is Standing.EMPTY else str(found)


def _storage(house: Parts) -> str:
    try:
        house.store.check_writable()
    except (Refusal, OSError):
        return "not writable"
    return "ok"

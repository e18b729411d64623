"""The API as flask-smorest assembles it, with our problem documents and our own description of it."""

import re
import threading
from typing import Any

import flask_smorest
from flask import Flask, Response, current_app
from werkzeug.exceptions import HTTPException

from server.http import problems
from server.http.blueprint import Blueprint
from server.http.description import complete
from server.permissions import Can

PREFIX = "/api/v1"
_METHODS = ("get", "post", "put", "delete")
_VARIABLE = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")


class HouseApi(flask_smorest.Api):  # type: ignore[misc]
    """Registers the features' views; what the framework refuses leaves as a problem document, like all else.

    Describing the views costs far more than registering them, and most processes are never asked (a command, the third
    of four servers), so it is done when somebody asks.
    """

    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask) -> None:
        self._undescribed: list[Blueprint] = []
        self._describing = threading.Lock()
        self._described: dict[str, Any] | None = None
        super().__init__(app)

    def register_blueprint(self, blp: Blueprint, **options: Any) -> None:
        """Register a feature's views; they are described later (`describe`)."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        self._app.register_blueprint(blp, **options)
        self._undescribed.append(blp)

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Answer what the framework refused."""
        return problems.from_http(error)

    def _register_responses(self) -> None:
        """Leave the stock error responses out; `description.complete` writes ours."""

    def _register_pagination_header(self) -> None:
        """Leave the stock paging header out; pages carry `next_cursor`."""

    def _register_etag_headers(self) -> None:
        """Leave the stock headers out."""

    def describe(self) -> dict[str, Any]:
        """Give the whole OpenAPI document, as plain data; it is made once, whoever asks at the same moment."""
        with self._describing:
            if self._described is None:
                for blueprint in self._undescribed:
                    blueprint.register_views_in_doc(
                        self, self._app, self.spec, name=blueprint.name, parameters=None
                    )
                    self.spec.tag({"name": blueprint.name, "description": blueprint.description})
                self._described = complete(self.spec.to_dict(), needs_by_operation(self._app))
            return self._described


def needs_by_operation(app: Flask) -> dict[tuple[str, str], tuple[str, Can]]:
    """Give the operation's name and what it needs, by (path, method), of every view under the prefix."""
    found: dict[tuple[str, str], tuple[str, Can]] = {}
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith(f"{PREFIX}/"):
            continue
        path = _VARIABLE.sub(r"{\1}", rule.rule)
        needed = getattr(app.view_functions[rule.endpoint], "needs", None)
        for method in rule.methods or ():
            if method.lower() in _METHODS and isinstance(needed, Can):
                found[path, method.lower()] = (_operation_id(rule.endpoint), needed)
    return found


def _operation_id(endpoint: str) -> str:
    """Name an operation as its view; a view of one word gets its room's name before it (`people_read`)."""
    room, _, view = endpoint.rpartition(".")
    return view if "_" in view else f"{room}_{view}"


def description() -> dict[str, Any]:
    """Give the OpenAPI document of the running application."""
    api: HouseApi = current_app.extensions["house_api"]
    return api.describe()

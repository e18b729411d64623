"""The blueprint of the house: bodies and queries are read strictly, and refused in Chinese."""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar, cast

import flask_smorest
from marshmallow import Schema

from server.http.body import StrictParser

View = TypeVar("View", bound=Callable[..., Any])


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """A feature's views; what `arguments` binds goes through `StrictParser`, never through the stock parser."""

    ARGUMENTS_PARSER: ClassVar[StrictParser] = StrictParser()

    def get(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Show something."""
        return cast("Callable[[View], View]", super().get(rule, **options))

    def post(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Do something."""
        return cast("Callable[[View], View]", super().post(rule, **options))

    def put(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Store something under an id that its sender chose."""
        return cast("Callable[[View], View]", super().put(rule, **options))

    def delete(self, rule: str, **options: Any) -> Callable[[View], View]:
        """End something."""
        return cast("Callable[[View], View]", super().delete(rule, **options))

    def arguments(self, schema: type[Schema] | Schema, **options: Any) -> Callable[[View], View]:
        """Read and check the body, or with `location="query"` the query."""
        return cast("Callable[[View], View]", super().arguments(schema, **options))

    def response(
        self, status_code: int, schema: type[Schema] | None = None, **options: Any
    ) -> Callable[[View], View]:
        """Describe the usual answer."""
        return cast("Callable[[View], View]", super().response(status_code, schema, **options))

    def alt_response(self, status_code: int, **options: Any) -> Callable[[View], View]:
        """Describe another good answer."""
        return cast("Callable[[View], View]", super().alt_response(status_code, **options))

    @staticmethod
    def doc(**said: Any) -> Callable[[View], View]:
        """Describe what cannot be inferred."""
        return cast("Callable[[View], View]", flask_smorest.Blueprint.doc(**said))

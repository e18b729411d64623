"""The blueprint that every feature's views hang on: flask-smorest's, with bodies and queries bound strictly."""

import flask_smorest

from server.http.body import StrictParser


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # flask-smorest has no types
    """A set of views under one name; `arguments` refuses doubled names, NaN, huge and deep JSON (http/body.py)."""

    ARGUMENTS_PARSER = StrictParser()

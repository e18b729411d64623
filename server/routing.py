"""Every blueprint of the API, registered in one place."""

from flask import Flask
from flask_smorest import Api, Blueprint

from server.accounts import routes as accounts
from server.people import import_routes as imports
from server.people import routes as people
from server.reviews import routes as reviews
from server.visits import photo_routes as photos
from server.visits import routes as visits
from server.worklists import routes as worklists

BLUEPRINTS: tuple[Blueprint, ...] = (
    accounts.blueprint,
    people.blueprint,
    imports.blueprint,
    visits.blueprint,
    photos.blueprint,
    reviews.blueprint,
    worklists.blueprint,
)


def register(app: Flask, api: Api) -> None:
    """Register the features' views under /api/v1."""
    del app
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint, url_prefix="/api/v1")

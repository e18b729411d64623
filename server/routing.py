"""Every blueprint of the API, registered in one place."""

from flask import Flask

from server.accounts import routes as accounts
from server.archives import routes as archives
from server.auditing import routes as auditing
from server.feedback import routes as feedback
from server.http import docs
from server.http.api import PREFIX, HouseApi
from server.http.blueprint import Blueprint
from server.people import import_routes as imports
from server.people import routes as people
from server.people import village_routes as villages
from server.policies import routes as policies
from server.regions import routes as regions
from server.remedies import routes as remedies
from server.reviews import routes as reviews
from server.schedule import routes as schedule
from server.spotchecks import check_routes as checks
from server.spotchecks import routes as spotchecks
from server.visits import photo_routes as photos
from server.visits import routes as visits
from server.words import routes as words
from server.worklists import routes as worklists

BLUEPRINTS: tuple[Blueprint, ...] = (
    accounts.blueprint,
    people.blueprint,
    imports.blueprint,
    visits.blueprint,
    photos.blueprint,
    reviews.blueprint,
    remedies.blueprint,
    worklists.blueprint,
    archives.blueprint,
    regions.blueprint,
    villages.blueprint,
    policies.blueprint,
    schedule.blueprint,
    spotchecks.blueprint,
    checks.blueprint,
    words.blueprint,
    feedback.blueprint,
    auditing.blueprint,
)


def register(app: Flask, api: HouseApi) -> None:
    """Register the features' views under /api/v1, and the pages that describe them."""
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint, url_prefix=PREFIX)
    app.extensions["house_api"] = api
    app.register_blueprint(docs.docs)

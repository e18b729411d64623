"""Every page of the house, registered in one place; a new feature's blueprint and entry get their line here."""

from flask import Blueprint, Flask

from server.http.guard import needs
from server.permissions import Can
from server.web import (
    accounts,
    archives,
    audit,
    checkpoint,
    checks,
    files,
    handing_over,
    home,
    looks,
    overdue,
    phones,
    pictures,
    plans,
    problems,
    queue,
    rectifications,
    reveal,
    showing,
    signing,
    visit,
)
from server.web.features import Entry

BLUEPRINTS: tuple[Blueprint, ...] = (
    files.blueprint,
    signing.blueprint,
    queue.blueprint,
    visit.blueprint,
    pictures.blueprint,
    overdue.blueprint,
    archives.blueprint,
    reveal.blueprint,
    phones.blueprint,
    problems.blueprint,
    plans.blueprint,
    checks.blueprint,
    rectifications.blueprint,
    accounts.blueprint,
    handing_over.blueprint,
    looks.blueprint,
    audit.blueprint,
    checkpoint.blueprint,
    home.blueprint,
)
ENTRIES: tuple[Entry, ...] = (
    queue.ENTRY,
    overdue.ENTRY,
    archives.ENTRY,
    problems.ENTRY,
    plans.ENTRY,
    checks.ENTRY,
    rectifications.ENTRY,
    accounts.ENTRY,
    handing_over.ENTRY,
    audit.ENTRY,
    looks.ENTRY,
    checkpoint.ENTRY,
)
"""The words of the navigation, in their order."""


def install(app: Flask) -> None:
    """Register the pages under /web, to which the bare address leads."""
    showing.install(app, ENTRIES)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.add_url_rule("/", "to_the_pages", needs(Can.ANYONE, own_transactions=True)(home.to_the_pages))

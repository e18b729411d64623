"""What the pages of one feature are made of: a blueprint with our errors and templates, and a place in the navigation."""

from dataclasses import dataclass

from flask import Blueprint

from server.permissions import Actor, Can
from server.web import refusing

PREFIX = "/web"


@dataclass(frozen=True, slots=True)
class Entry:
    """One word of the navigation: where it leads, who sees it, and what the first page says of it."""

    label: str
    endpoint: str
    needs: Can
    says: str = ""

    @property
    def room(self) -> str:
        """Give the feature that the entry leads into."""
        return self.endpoint.partition(".")[0]

    def is_for(self, actor: Actor) -> bool:
        """Say whether a worker may go there."""
        return actor.may(self.needs)


def feature(name: str) -> Blueprint:
    """Make the blueprint of a feature's pages; what goes wrong in them becomes a page."""
    made = Blueprint(f"web_{name}", __name__, url_prefix=PREFIX)
    made.register_error_handler(Exception, refusing.page_of)
    return made

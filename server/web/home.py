"""The first page of everybody, by what they may do; and the page for addresses that lead nowhere."""

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from server.errors import NotFound
from server.permissions import Can
from server.web import showing
from server.web.door import shows
from server.web.features import feature

blueprint = feature("home")


@blueprint.get("/")
@shows(Can.SIGNED_IN)
def home() -> ResponseReturnValue:
    """Show where a worker of this role can go."""
    return showing.page("home.html")


@blueprint.route("/<path:_rest>", methods=["GET", "POST"])
@shows(Can.ANYONE, own_transactions=True)
def nowhere(_rest: str) -> ResponseReturnValue:
    """Say that there is no such page."""
    raise NotFound("没有这个页面，请检查网址，或从上方菜单重新进入。")


def to_the_pages() -> ResponseReturnValue:
    """Lead whoever typed the bare address to the pages."""
    return redirect(url_for("web_home.home"), 303)

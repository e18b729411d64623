"""Shows photos on pages, by the session's cookie: the same pictures, sight and ledger lines as the API."""

from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue

from server.errors import NotFound
from server.permissions import Can
from server.photos.terms import Size
from server.visits.photo_routes import found, picture
from server.web.door import in_one, shows
from server.web.features import feature

blueprint = feature("pictures")

SIZES = {size.value: size for size in Size}


@blueprint.get("/photos/<uuid:photo_id>")
@shows(Can.SEE_PHOTOS, own_transactions=True)
def photo(photo_id: UUID) -> ResponseReturnValue:
    """Give one picture; the original to few, as a file to keep."""
    size = SIZES.get(request.args.get("size", Size.SCREEN))
    if size is None:
        raise NotFound
    seen = in_one(Can.SEE_PHOTOS, lambda: found(photo_id, size))
    return picture(seen, size)

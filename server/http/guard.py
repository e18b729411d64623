"""The one door of every view: who is it, may they, and then one transaction with one fate."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, TypeVar, cast

from flask import g, make_response, request
from flask.typing import ResponseReturnValue
from psycopg import errors as pg
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from server.db import NotOnlyALookError, Sessions, is_disk_full, look, unit_of_work
from server.errors import NotAllowed, Refusal, Unavailable
from server.http.parts import parts
from server.ledger.work import Work
from server.permissions import Can

Answer = TypeVar("Answer")
View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
TRIES = 4
BEARER = "bearer "


def bearer() -> str | None:
    """Give the token of the Authorization header; None when there is none."""
    header = request.headers.get("Authorization", "")
    return header[len(BEARER) :].strip() if header[: len(BEARER)].lower() == BEARER else None


def needs(
    can: Can, *, new_keys: int = 0, own_transactions: bool = False, only_looks: bool = False
) -> Callable[[View], View]:
    """Declare what a view needs.

    `new_keys`: data keys it may take; `own_transactions`: it opens its own work; `only_looks`: it reads, and leaves
    who looked at what, so that it needs no transaction round it.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: object, **kwargs: object) -> ResponseReturnValue:
            if own_transactions:
                return make_response(view(*args, **kwargs))
            if new_keys:
                parts().keys.reserve(new_keys)
            act = in_one_look if only_looks else in_one_transaction
            return act(can, lambda: make_response(view(*args, **kwargs)))

        guarded.__dict__["needs"] = can
        return cast("View", guarded)

    return decorate


def in_one_transaction(
    can: Can, act: Callable[[], Answer], *, token: Callable[[], str | None] = bearer
) -> Answer:
    """Run `act` for the signed-in worker in one transaction; what a refusal must leave behind is written after it.

    `token` says how the request names its session: the API's by a header alone, pages by their cookie.
    """
    return _act(can, act, unit_of_work, token)


def in_one_look(can: Can, act: Callable[[], Answer], *, token: Callable[[], str | None] = bearer) -> Answer:
    """Run `act`, which only reads and leaves who looked at what, for the signed-in worker.

    The lines of the ledger are one write, which stands before the answer leaves. Where something turns out to be
    missing that a read brings up to date (a period to open), it is all done again in one transaction.
    """
    try:
        return _act(can, act, look, token)
    except NotOnlyALookError:
        return in_one_transaction(can, act, token=token)


def _act(
    can: Can,
    act: Callable[[], Answer],
    opening: Callable[[Sessions], AbstractContextManager[Session]],
    token: Callable[[], str | None],
) -> Answer:
    parts().keys.house_key()  # made at its first use, which must not be inside a transaction
    for attempt in range(TRIES):
        try:
            with opening(parts().sessions) as session:
                work = open_work(session, can, token())
                answer = act()
                assert opening is not look or work.only_looked, "a look changes nothing"
                work.close()
        except Refusal as refusal:
            _leave_behind(refusal)
            raise
        except DBAPIError as error:
            if attempt + 1 < TRIES and (_worth_again(error) or _has_room_again(error)):
                continue
            raise
        else:
            return answer
    raise Unavailable


def _worth_again(error: DBAPIError) -> bool:
    """A twin that was quicker breaks a constraint or a lock; the second look finds what it stored."""
    return isinstance(error, IntegrityError) or isinstance(
        error.orig, (pg.DeadlockDetected, pg.SerializationFailure)
    )


def _has_room_again(error: DBAPIError) -> bool:
    """On a full disk what was kept for this hour is given up, so that the work goes on in it."""
    return is_disk_full(error) and parts().reserve.make_room()


def open_work(session: Any, can: Can, token: str | None) -> Work:
    """Find out who is signed in, check the deed against the role, and hand the work to the view."""
    house = parts()
    actor = None if can is Can.ANYONE else house.who(session, token, house.tools.now())
    work = house.work(session, actor, g.request_id)
    if actor is not None:
        g.worker_id = actor.worker_id
        if not actor.may(can):
            refusal = NotAllowed()
            refusal.leaves = lambda later: trace(later, work, "refused.role", can.value)
            raise refusal
    g.work = work
    return work


def work() -> Work:
    """Give the work of this request."""
    return cast("Work", g.work)


def trace(session: Any, past: Work, action: str, what: str) -> None:
    """Leave a ledger line about a refused request; nothing that the sender chose is in it but ids."""
    later = Work(session, past.tools, past.keys, past.now, past.signed_in, past.request_id)
    later.tell(action, "request", None, changes=False, payload={"what": what, "path": str(request.url_rule)})
    later.close()


def _leave_behind(refusal: Refusal) -> None:
    if refusal.leaves is not None:
        with unit_of_work(parts().sessions) as session:
            refusal.leaves(session)


UNREACHABLE = (OperationalError, InterfaceError, PoolTimeoutError)

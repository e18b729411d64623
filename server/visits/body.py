"""The wire form of a visit record: written, read back, compared, fingerprinted, and parted into open and sealed.

Everything here follows from the types in `server.visits.form`; a field added there needs nothing added here.
"""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from hashlib import sha256
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from server.terms import Term
from server.visits.answers import SEALED
from server.visits.form import PERSONAL, VisitRecord

SHANGHAI = ZoneInfo("Asia/Shanghai")

Body = dict[str, Any]
Private = dict[str, Any]


def body(record: VisitRecord) -> Body:
    """Write a record as JSON would hold it: every field present, instants in +08:00."""
    return _write(record)


def from_body(stored: Mapping[str, Any]) -> VisitRecord:
    """Read a record back; `from_body(body(record)) == record`.

    What an erasure emptied comes back as an empty text or list.
    """
    made = _read(VisitRecord, stored)
    assert isinstance(made, VisitRecord)
    return made


def fingerprint(record: VisitRecord) -> bytes:
    """Give the SHA-256 of the record's canonical body.

    Left-out fields equal null, an instant is the same in every offset, texts count byte for byte, and the order of
    lists matters.
    """
    return fingerprint_of(body(record))


def fingerprint_of(whole: Body) -> bytes:
    """Give the fingerprint of the record that `body` wrote."""
    return sha256(_json(whole, sort_keys=True).encode()).digest()


def differing_fields(one: VisitRecord, other: VisitRecord) -> list[str]:
    """Name the fields in which two records differ, in the order of the form (`notes`, `answers.food`)."""
    return _differing(body(one), body(other))


def split(record: VisitRecord) -> tuple[Body, Private]:
    """Part a record into what stays computable and what is sealed.

    The open part is the body with null for whatever is private; the private part maps paths (`notes`,
    `problems.0.description`) to values and is empty when there is nothing to seal.
    """
    private: Private = {}
    return _part(record, "", private), private


def join(open_body: Mapping[str, Any], private: Mapping[str, Any]) -> Body:
    """Put the two parts of `split` together again; without the private part its places stay null."""
    return fill(orjson.loads(orjson.dumps(open_body)) if private else dict(open_body), private)


def fill(whole: Body, private: Mapping[str, Any]) -> Body:
    """Put the private part back into an open body that is the caller's own; it is changed, and given back."""
    for path, value in private.items():
        *steps, last = path.split(".")
        place: Any = whole
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place[step]
        place[last] = value
    return whole


def write_private(private: Mapping[str, Any]) -> str:
    """Write a private part as the text that is sealed."""
    return _json(private)


def read_private(text: str) -> Private:
    """Read what `write_private` wrote."""
    read: Private = orjson.loads(text)
    return read


def write_instant(instant: dt.datetime) -> str:
    """Write an instant as the wire does: whole seconds, +08:00."""
    return instant.astimezone(SHANGHAI).isoformat(timespec="seconds")


def _json(value: Any, *, sort_keys: bool = False) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=sort_keys, separators=(",", ":"), allow_nan=False)


def _differing(one: Body, other: Body, path: str = "") -> list[str]:
    found = []
    for name in dict.fromkeys((*one, *other)):
        mine, theirs = one.get(name), other.get(name)
        if mine == theirs and type(mine) is type(theirs):  # True == 1
            continue
        if isinstance(mine, dict) and isinstance(theirs, dict):
            found += _differing(mine, theirs, f"{path}{name}.")
        else:
            found.append(f"{path}{name}")
    return found


def _part(value: Any, path: str, private: Private) -> Body:
    kept: Body = {}
    for name, is_personal, write in _parts(value.__class__):
        inner = getattr(value, name)
        here = f"{path}{name}"
        if is_personal:
            kept[name] = [] if inner == () else None
            if inner is not None and inner != ():
                private[here] = write(inner)
        elif name == "answers":
            kept[name] = {key: write_answer(answer) for key, answer in inner.items() if key not in SEALED}
            private |= {f"{here}.{key}": write_answer(inner[key]) for key in inner if key in SEALED}
        elif isinstance(inner, tuple) and inner and _is_record(type(inner[0])):
            kept[name] = [_part(one, f"{here}.{index}.", private) for index, one in enumerate(inner)]
        elif _is_record(type(inner)):
            kept[name] = _part(inner, f"{here}.", private)
        else:
            kept[name] = write(inner)
    return kept


def write_answer(answer: Any) -> Any:
    """Write one answer as JSON would hold it."""
    return list(answer) if isinstance(answer, tuple) else answer


def _is_record(kind: type) -> bool:
    return hasattr(kind, "__dataclass_fields__")


@cache
def _parts(kind: type) -> tuple[tuple[str, bool, Callable[[Any], Any]], ...]:
    hints = get_type_hints(kind)
    return tuple((one.name, PERSONAL in one.metadata, _writer(hints[one.name])) for one in fields(kind))


@cache
def _readers(kind: type) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    hints = get_type_hints(kind)
    return tuple((one.name, _reader(hints[one.name])) for one in fields(kind))


def _write(value: Any) -> Body:
    return {name: write(getattr(value, name)) for name, _, write in _parts(value.__class__)}


def _read(kind: Any, stored: Mapping[str, Any]) -> Any:
    return kind(**{name: read(stored.get(name)) for name, read in _readers(kind)})


def _same(value: Any) -> Any:
    return value


def _bare(hint: Any) -> tuple[Any, bool]:
    """Take `X | None` apart."""
    if get_origin(hint) is UnionType and NoneType in get_args(hint):
        (inner,) = (arg for arg in get_args(hint) if arg is not NoneType)
        return inner, True
    return hint, False


def _writer(hint: Any) -> Callable[[Any], Any]:
    inner, optional = _bare(hint)
    write: Callable[[Any], Any] = _same
    if get_origin(inner) is tuple:
        write_one = _writer(get_args(inner)[0])
        return lambda many: [write_one(one) for one in many]
    if get_origin(inner) is Mapping:
        return lambda answers: {name: write_answer(answer) for name, answer in answers.items()}
    if _is_record(inner):
        write = _write
    elif inner is UUID:
        write = str
    elif inner is dt.datetime:
        write = write_instant
    elif inner is dt.date:
        write = dt.date.isoformat
    elif issubclass(inner, Term):
        write = _value
    if optional and write is not _same:
        return lambda value: None if value is None else write(value)
    return write


def _value(term: Term) -> Any:
    return term.value


def _reader(hint: Any) -> Callable[[Any], Any]:
    inner, optional = _bare(hint)
    if get_origin(inner) is tuple:
        read_one = _reader(get_args(inner)[0])
        return lambda many: tuple(read_one(one) for one in many or ())
    if get_origin(inner) is Mapping:
        return lambda answers: {name: _read_answer(answer) for name, answer in (answers or {}).items()}
    if inner is str and not optional:
        return lambda text: "" if text is None else text
    read: Callable[[Any], Any] = _same
    if _is_record(inner):
        read = _reader_of(inner)
    elif inner is dt.datetime:
        read = _read_instant
    elif inner is dt.date:
        read = dt.date.fromisoformat
    elif inner is UUID or inner is float or issubclass(inner, Term):
        read = inner
    return (lambda value: None if value is None else read(value)) if optional else read


def _reader_of(kind: type) -> Callable[[Any], Any]:
    return lambda stored: _read(kind, stored)


def _read_answer(answer: Any) -> Any:
    return tuple(answer) if isinstance(answer, list) else answer


def _read_instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)

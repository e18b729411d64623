"""Fills people and visits into an empty, migrated PostgreSQL with COPY, several processes side by side.

What is sealed in service is sealed here, under a key of each person's own: a page of such people costs what it would.
Ids are time-ordered as the application's. Nothing here is measured.
"""

import datetime as dt
import hashlib
import json
import secrets
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from uuid import UUID

import psycopg

from api_schemas.visits import VisitIn
from bench import phone
from server.people.terms import Category
from server.tools import SHANGHAI
from server.vault.blind_index import last_four, whole_id_number
from server.vault.blind_index import phone as phone_index
from server.vault.fields import DataKey
from server.vault.keyring import Keyring
from server.visits import body as bodies
from server.visits.form import VisitRecord
from server.visits.rules import completeness

BATCH = 5_000
SOME_DAY = dt.date(1935, 1, 1)
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
PERSONS = (
    "id,household_id,is_head,file_no,name,name_initials,sex,birth_date,village_code,id_number_sealed,id_number_index,"
    "last4_index,phone_sealed,phone_index,address_sealed,photo_consent,data_key_id,revision,created_at"
)
VISITS = (
    "id,person_id,village_code,recorder_id,method,outcome,conclusion,occurred_at,received_at,counted_since,clock_skew_s,"
    "filed_late,counts,in_person,state,out_of_count_at,revision,body_revision,fingerprint,open_body,private_sealed,"
    "answered,answers_required,revised_at"
)
EVENTS = "at,actor_id,action,subject_kind,subject_id,person_id,changes,commitment,payload"


@dataclass(frozen=True, slots=True)
class Filling:
    """What the processes need: where, under which key ring, whose people, and which visits."""

    url: str
    keyring: str
    villages: tuple[str, ...]
    workers: tuple[str, ...]
    people_each: int
    now: dt.datetime
    months: tuple[dt.date, ...]
    visits_each: int
    """Visits of one person: as many as there are months means the county's rhythm, fewer are spread over the months."""


def fill(filling: Filling, people: int, processes: int = 2) -> int:
    """Fill so many people with their visits; returns how many visits that made."""
    starts = range(0, people, BATCH)
    with ProcessPoolExecutor(processes) as pool:
        jobs = [pool.submit(_batch, filling, range(first, min(people, first + BATCH))) for first in starts]
        return sum(job.result() for job in jobs)


def _batch(filling: Filling, numbers: range) -> int:
    keyring = Keyring.parse(filling.keyring)
    lines: dict[str, list[str]] = {name: [] for name in ("keys", "households", "persons", "visits", "events")}
    template = _Template()
    for number in numbers:
        worker = number // filling.people_each
        village = filling.villages[worker % len(filling.villages)]
        key, person = _person(lines, keyring, number, village, filling)
        if filling.visits_each:
            for visit in _visits_of(filling, number):
                _visit(lines, template, filling.workers[worker], key, person, village, visit)
    copies = (
        ("vault.data_keys (id,wrapped,created_at)", "keys"),
        ("households (id,village_code,created_at)", "households"),
        (f"persons ({PERSONS})", "persons"),
        (f"visits ({VISITS})", "visits"),
        (f"ledger_events ({EVENTS})", "events"),
    )
    with psycopg.connect(filling.url) as connection:
        # Foreign keys hold by how the rows are made; checking each of millions takes most of the time.
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")
        for target, name in copies:
            with connection.cursor().copy(f"COPY {target} FROM STDIN") as copy:
                copy.write("".join(lines[name]))
    return len(lines["visits"])


def _person(
    lines: dict[str, list[str]], keyring: Keyring, number: int, village: str, filling: Filling
) -> tuple[DataKey, str]:
    # 2,000 people a millisecond, so that ids stand in the order of the numbers.
    since = 1_735_689_600_000 + number // 2000
    key_id, person, household = (_id(since, number % 2000, part) for part in range(3))
    secret = secrets.token_bytes(32)
    key = DataKey(UUID(hex=key_id), secret)
    row = UUID(hex=person)
    now = filling.now.isoformat()
    born = SOME_DAY + dt.timedelta(days=number // 999)
    digits = f"999999{born:%Y%m%d}{number % 999 + 1:03}"
    digits += "10X98765432"[
        sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True)) % 11
    ]
    mobile = f"139{number:08}"
    sealed = {
        column: key.seal(text, table="persons", column=column, row=row)
        for column, text in (
            ("id_number_sealed", digits),
            ("phone_sealed", mobile),
            ("address_sealed", f"升平街道测试村{number % 97}号"),
        )
    }
    lines["keys"].append(f"{key_id}\t\\\\x{keyring.wrap(secret, key.key_id).hex()}\t{now}\n")
    lines["households"].append(f"{household}\t{village}\t{now}\n")
    lines["persons"].append(
        f"{person}\t{household}\tt\t{village[:9]}-TK-2025-{number:07}\t测试{number}\tCS{number}\t"
        f"{'female' if number % 2 else 'male'}\t{born}\t{village}\t{sealed['id_number_sealed']}\t"
        f"\\\\x{whole_id_number(keyring, digits).hex()}\t\\\\x{last_four(keyring, digits, village[:9]).hex()}\t"
        f"{sealed['phone_sealed']}\t\\\\x{phone_index(keyring, mobile).hex()}\t{sealed['address_sealed']}\tt\t{key_id}\t1\t{now}\n"
    )
    return key, person


@dataclass(frozen=True, slots=True)
class _Made:
    at: dt.datetime
    counts: bool
    state: str


def _visits_of(filling: Filling, number: int) -> Iterator[_Made]:
    """One visit in most months, none in one of twenty, an attempt before it in another: one a month on average."""
    months = len(filling.months)
    if filling.visits_each >= months:
        for place, first in enumerate(filling.months):
            luck = (number * 31 + place * 17) % 20
            if luck == 1:
                yield _made(filling, number, first, 3, counts=False)
            if luck != 0:
                yield _made(filling, number, first, 9, counts=True)
    else:
        for one in range(filling.visits_each):
            yield _made(filling, number, filling.months[(number + one) % months], 9, counts=True)


def _made(filling: Filling, number: int, first: dt.date, day: int, *, counts: bool) -> _Made:
    minute = number * 7919 % 28_800
    at = dt.datetime.combine(first, dt.time(8), SHANGHAI) + dt.timedelta(
        days=day + number % 12, seconds=minute
    )
    at = min(at, filling.now - dt.timedelta(hours=1, seconds=minute))
    old = first != filling.months[-1]
    luck = number % 200
    state = {0: "void", 1: "returned", 2: "returned"}.get(luck, "accepted" if old else "submitted")
    return _Made(at, counts, state)


class _Template:
    """A visit as the schemas read it, so that what is filled in is what a phone would have left."""

    def __init__(self) -> None:
        someone = str(UUID(int=1))
        read: VisitRecord = VisitIn().load(json.loads(phone.visit(someone, someone, 1, [])))
        open_body, private = bodies.split(read)
        self.private = bodies.write_private(private)
        self.answered, self.required = completeness(read, Category.TEKUN_DISPERSED)
        # One text with marks where a visit's own facts go: writing each as JSON takes longer than all the rest.
        written = json.dumps(open_body, ensure_ascii=False, separators=(",", ":"))
        marks = {
            open_body["occurred_at"]: "@began",
            open_body["ended_at"]: "@ended",
            open_body["client_created_at"]: "@filed",
        }
        for said, mark in marks.items():
            written = written.replace(said, mark)
        self.text = written.replace("\\", "\\\\").replace(someone, "@someone")

    def body(self, at: dt.datetime, person: str, worker: str, outcome: str) -> str:
        """Write the open body of one visit."""
        began = at.astimezone(SHANGHAI)
        shown = f"{UUID(hex=person)}"
        text = self.text.replace('"person_id":"@someone"', f'"person_id":"{shown}"')
        return (
            text.replace("@someone", worker)
            .replace("@began", began.isoformat(timespec="seconds"))
            .replace("@ended", (began + dt.timedelta(minutes=19)).isoformat(timespec="seconds"))
            .replace("@filed", (began + dt.timedelta(seconds=4)).isoformat(timespec="seconds"))
            .replace('"outcome":"met"', f'"outcome":"{outcome}"')
        )


def _visit(
    lines: dict[str, list[str]],
    template: _Template,
    worker: str,
    key: DataKey,
    person: str,
    village: str,
    made: _Made,
) -> None:
    visit = _id(int(made.at.timestamp() * 1000), secrets.randbelow(4096), 3)
    outcome = "met" if made.counts else "not_met"
    received = (made.at + dt.timedelta(minutes=35)).isoformat()
    sealed = key.seal(template.private, table="visits", column="private_sealed", row=UUID(hex=visit))
    fingerprint = hashlib.sha256(visit.encode()).hexdigest()
    out_of_count = received if made.state == "void" else "\\N"
    counts = "t" if made.counts else "f"
    lines["visits"].append(
        f"{visit}\t{person}\t{village}\t{worker}\thome\t{outcome}\tnormal\t{made.at.isoformat()}\t{received}\t"
        f"{received}\t0\tf\t{counts}\t{counts}\t{made.state}\t{out_of_count}\t1\t1\t\\\\x{fingerprint}\t"
        f"{template.body(made.at, person, worker, outcome)}\t{sealed}\t{template.answered}\t{template.required}\t{received}\n"
    )
    nonce = secrets.token_bytes(16)
    payload = f'{{"fingerprint":"{fingerprint}","outcome":"{outcome}","revision":1}}'
    commitment = hashlib.sha256(nonce + payload.encode()).hexdigest()
    lines["events"].append(
        f"{received}\t{worker}\tvisit.recorded\tvisit\t{visit}\t{person}\tt\t\\\\x{commitment}\t"
        f"{b64encode(nonce).decode()}.{payload}\n"
    )


def _id(milliseconds: int, order: int, part: int) -> str:
    """Give a time-ordered id (UUID 7) in hex."""
    return f"{milliseconds:012x}7{order:03x}{0x8 | part:x}{secrets.token_hex(7)}0"[:32]

"""What a filled store needs besides people and visits, set-wise: enrolments, who answers for whom, months of duties."""

import datetime as dt

from psycopg import Connection, sql

from server.people.terms import Category, ResponsibilityKind
from server.schedule.periods import first_second, last_second
from server.schedule.terms import PeriodUnit

SINCE = dt.date(2025, 1, 1)
LANE = f"{Category.TEKUN_DISPERSED}.{PeriodUnit.MONTH}"
TABLES = ("persons", "households", "dwellings", "enrolments", "responsibilities", "homes", "visits", "duties")
CHRONIC_IN_TEN_THOUSAND = 100
"""People whom nobody sees in any month, unless a visit is on file."""
SEEN_IN_TEN_THOUSAND = 9_200
SEEN_THIS_MONTH_IN_TEN_THOUSAND = 7_000


def set_indexes_aside(connection: Connection) -> list[str]:
    """Drop what only hinders filling (indexes that stand for no constraint); returns how to make them again."""
    found = connection.execute(
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
        " JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND c.relname = ANY(%s)"
        " AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)",
        (list(TABLES),),
    ).fetchall()
    for name, _ in found:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    return [definition for _, definition in found]


def enrol(connection: Connection, workers: list[str], people_each: int) -> None:
    """Enrol everybody, let a worker answer for each, and set half of the homes."""
    connection.execute("SET session_replication_role = replica")
    connection.execute("SET synchronous_commit = off")
    connection.execute(
        "INSERT INTO enrolments (id, person_id, category, valid_from, recorded_at)"
        " SELECT gen_random_uuid(), id, %s, %s, created_at FROM persons ORDER BY id",
        (Category.TEKUN_DISPERSED.value, SINCE),
    )
    connection.execute(
        "INSERT INTO dwellings (id, person_id, village_code, recorded_at)"
        " SELECT id, id, village_code, created_at FROM persons ORDER BY id"
    )
    connection.execute("CREATE TEMPORARY TABLE workers_of (place int PRIMARY KEY, worker uuid)")
    with connection.cursor().copy("COPY workers_of FROM STDIN") as copy:
        for place, worker in enumerate(workers):
            copy.write_row((place, worker))
    connection.execute(
        "INSERT INTO responsibilities (id, person_id, worker_id, kind, from_at)"
        " SELECT gen_random_uuid(), p.id, w.worker, %s, %s FROM persons p"
        " JOIN workers_of w ON w.place = right(p.file_no, 7)::int / %s ORDER BY p.id",
        (ResponsibilityKind.RESPONSIBLE.value, first_second(SINCE), people_each),
    )
    connection.execute(
        "INSERT INTO homes (id, person_id, latitude, longitude, datum, wgs_latitude, wgs_longitude, set_at)"
        " SELECT gen_random_uuid(), id, 30.89, 119.41, 'wgs84', 30.89, 119.41, created_at FROM persons"
        " WHERE right(file_no, 1)::int % 2 = 0 ORDER BY id"
    )
    connection.execute(
        "INSERT INTO ledger_pending (event_id) SELECT id FROM ledger_events ON CONFLICT DO NOTHING"
    )


def duties_of(connection: Connection, months: list[dt.date], now: dt.datetime, *, by_chance: bool) -> None:
    """Write the duties of these months, met by the visits on file, and `by_chance` by visits that are not kept.

    A missed month is closed by the next one in which the person was seen, as the application would have done.
    """
    connection.execute("SET session_replication_role = replica")
    connection.execute("SET synchronous_commit = off")
    connection.execute(
        "CREATE TEMPORARY TABLE seen AS SELECT person_id, date_trunc('month', occurred_at AT TIME ZONE 'Asia/Shanghai')::date AS month,"
        " count(*) FILTER (WHERE counts)::int AS done, count(*) FILTER (WHERE NOT counts)::int AS attempts,"
        " min(occurred_at) FILTER (WHERE counts) AS at, min(received_at) FILTER (WHERE counts) AS received_at"
        " FROM visits WHERE out_of_count_at IS NULL GROUP BY 1, 2"
    )
    connection.execute("CREATE INDEX ON seen (person_id, month)")
    connection.execute("ANALYZE seen")
    connection.execute(
        sql.SQL(
            "CREATE FUNCTION pg_temp.seen_by_chance(person uuid, month int, last boolean) RETURNS boolean IMMUTABLE LANGUAGE sql AS"
            " $$ SELECT {by_chance} AND (uuid_hash_extended(person, 7) & 1048575) % 10000 >= {chronic}"
            " AND (uuid_hash_extended(person, month) & 1048575) % 10000"
            " < CASE WHEN last THEN {this_month} ELSE {seen} END $$"
        ).format(
            by_chance=sql.Literal(by_chance),
            chronic=sql.Literal(CHRONIC_IN_TEN_THOUSAND),
            seen=sql.Literal(SEEN_IN_TEN_THOUSAND),
            this_month=sql.Literal(SEEN_THIS_MONTH_IN_TEN_THOUSAND),
        )
    )
    for place, first in enumerate(months):
        end = (first + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=1)
        later = months[place + 1 : place + 3]
        connection.execute(
            _MONTH,
            {
                "first": first,
                "end": end,
                "opens_at": first_second(first),
                "due_at": last_second(end),
                "lane": LANE,
                "category": Category.TEKUN_DISPERSED.value,
                "place": place,
                "last": len(months) - 1,
                "later": later,
                "now": now,
            },
        )
        connection.execute(
            "INSERT INTO opened_periods (unit, period_start, opened_at, duties)"
            " SELECT %s, %s, %s, count(*) FROM duties WHERE period_start = %s",
            (PeriodUnit.MONTH.value, first, first_second(first), first),
        )


_MONTH = """
INSERT INTO duties (id, person_id, lane, kind, category, village_code, period_start, due_on, opens_at, due_at, required,
    in_person, due_soon_on, done, done_in_person, attempts, met_on, met_received_at, closed_on, in_correction,
    opened_at, revision)
SELECT gen_random_uuid(), p.id, %(lane)s, 'routine', %(category)s, p.village_code, %(first)s, %(end)s, %(opens_at)s,
    %(due_at)s, 1, 0, %(end)s::date - 10,
    CASE WHEN c.luck OR s.done > 0 THEN 1 ELSE 0 END, CASE WHEN c.luck OR s.done > 0 THEN 1 ELSE 0 END,
    coalesce(s.attempts, 0),
    CASE WHEN s.done > 0 THEN (s.at AT TIME ZONE 'Asia/Shanghai')::date
         WHEN c.luck THEN least(%(first)s::date + 9, (%(now)s AT TIME ZONE 'Asia/Shanghai')::date) END,
    CASE WHEN s.done > 0 THEN s.received_at
         WHEN c.luck THEN least(%(opens_at)s::timestamptz + interval '9 days 10 hours', %(now)s) END,
    CASE WHEN c.luck OR s.done > 0 THEN NULL ELSE (
        SELECT min(coalesce((n.at AT TIME ZONE 'Asia/Shanghai')::date, l.month + 9))
        FROM unnest(%(later)s::date[]) WITH ORDINALITY AS l(month, ahead)
        LEFT JOIN seen n ON n.person_id = p.id AND n.month = l.month AND n.done > 0
        WHERE n.done > 0 OR pg_temp.seen_by_chance(p.id, %(place)s + l.ahead::int, %(place)s + l.ahead::int = %(last)s)
    ) END,
    false, %(opens_at)s, 1
FROM persons p
LEFT JOIN seen s ON s.person_id = p.id AND s.month = %(first)s
CROSS JOIN LATERAL (
    SELECT pg_temp.seen_by_chance(p.id, %(place)s, %(place)s = %(last)s) AS luck
) c
ORDER BY p.id
"""

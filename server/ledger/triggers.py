"""What keeps the ledger append-only on both databases, and queues each new event for its position."""

APPEND_ONLY = ("ledger_events", "ledger_positions")

_SQLITE = [
    """CREATE TRIGGER ledger_events_pending AFTER INSERT ON ledger_events
       BEGIN INSERT INTO ledger_pending (event_id) VALUES (NEW.id); END""",
    *(
        f"""CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}
            BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"""
        for table in APPEND_ONLY
        for verb in ("UPDATE", "DELETE")
    ),
]

_POSTGRESQL = [
    """CREATE FUNCTION ledger_queue() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN INSERT INTO ledger_pending (event_id) VALUES (NEW.id); RETURN NULL; END $$""",
    """CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$""",
    "CREATE TRIGGER ledger_events_pending AFTER INSERT ON ledger_events FOR EACH ROW EXECUTE FUNCTION ledger_queue()",
    *(
        f"""CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()"""
        for table in APPEND_ONLY
    ),
]

STATEMENTS = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}

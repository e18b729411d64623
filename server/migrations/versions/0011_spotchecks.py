"""Spot checks: plans and frozen frames, checks and back-checks, judgements, rectifications, the register of relatives."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

FROZEN = "a frozen frame is never changed"
TRIGGERS = {
    "sqlite": [
        f"CREATE TRIGGER spot_check_frame_no_{verb.lower()} BEFORE {verb} ON spot_check_frame"
        f" BEGIN SELECT RAISE(ABORT, '{FROZEN}'); END"
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        f"""CREATE FUNCTION spot_check_frame_refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION '{FROZEN}'; END $$""",
        """CREATE TRIGGER spot_check_frame_frozen BEFORE UPDATE OR DELETE OR TRUNCATE ON spot_check_frame
           FOR EACH STATEMENT EXECUTE FUNCTION spot_check_frame_refuse()""",
    ],
}


def _to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}"))


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "spot_check_plans",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(length=12), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=True),
        sa.Column("committed_by", sa.Uuid(), nullable=True),
        sa.Column("committed_role", sa.String(length=32), nullable=True),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seed_sealed", sa.Text(), nullable=True),
        sa.Column("frame_digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("frame_size", sa.Integer(), nullable=True),
        sa.Column("frozen_by", sa.Uuid(), nullable=True),
        sa.Column("frozen_role", sa.String(length=32), nullable=True),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seed", sa.LargeBinary(length=32), nullable=True),
        sa.Column("drawn_by", sa.Uuid(), nullable=True),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("drawn_count", sa.Integer(), nullable=True),
        sa.Column("annulled_by", sa.Uuid(), nullable=True),
        sa.Column("annulled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("annul_reason_sealed", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "committed_role IN ('visitor', 'reviewer', 'chief', 'county_inspector', 'administrator', 'auditor')",
            name=op.f("ck_spot_check_plans_committed_role_known"),
        ),
        sa.CheckConstraint(
            "frozen_role IN ('visitor', 'reviewer', 'chief', 'county_inspector', 'administrator', 'auditor')",
            name=op.f("ck_spot_check_plans_frozen_role_known"),
        ),
        sa.CheckConstraint(
            "state IN ('planned', 'committed', 'frozen', 'drawn', 'annulled')",
            name=op.f("ck_spot_check_plans_state_known"),
        ),
        sa.CheckConstraint(
            "frame_digest IS NULL OR commitment IS NOT NULL",
            name=op.f("ck_spot_check_plans_commitment_before_frame"),
        ),
        sa.CheckConstraint(
            "frozen_by IS NULL OR frozen_by <> committed_by",
            name=op.f("ck_spot_check_plans_keeper_does_not_freeze"),
        ),
        sa.CheckConstraint(
            "seed IS NULL OR frame_digest IS NOT NULL", name=op.f("ck_spot_check_plans_frame_before_seed")
        ),
        _to("spot_check_plans", "annulled_by", "workers"),
        _to("spot_check_plans", "committed_by", "workers"),
        _to("spot_check_plans", "created_by", "workers"),
        _to("spot_check_plans", "drawn_by", "workers"),
        _to("spot_check_plans", "frozen_by", "workers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spot_check_plans")),
    )
    op.create_index("ix_spot_check_plans_listed", "spot_check_plans", ["period_start", "id"])
    op.create_index(
        "uq_spot_check_plans_live",
        "spot_check_plans",
        ["area_code", "period_start"],
        unique=True,
        postgresql_where=sa.text("state <> 'annulled'"),
        sqlite_where=sa.text("state <> 'annulled'"),
    )
    op.create_table(
        "kinships",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("relative_id", sa.Uuid(), nullable=True),
        sa.Column("relation", sa.String(length=32), nullable=False),
        sa.Column("declared_by", sa.Uuid(), nullable=True),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "relation IN ('spouse', 'parent', 'child', 'sibling', 'grandparent', 'grandchild', 'in_law', 'other')",
            name=op.f("ck_kinships_relation_known"),
        ),
        sa.CheckConstraint(
            "(person_id IS NULL) <> (relative_id IS NULL)", name=op.f("ck_kinships_one_relative")
        ),
        _to("kinships", "person_id", "persons"),
        _to("kinships", "relative_id", "workers"),
        _to("kinships", "worker_id", "workers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kinships")),
    )
    op.create_index(
        "ix_kinships_relative",
        "kinships",
        ["relative_id"],
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_kinships_worker",
        "kinships",
        ["worker_id", "id"],
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "spot_check_frame",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("village_code", sa.String(length=12), nullable=False),
        sa.Column("visitor_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("always", sa.String(length=32), nullable=False),
        sa.Column("body_revision", sa.Integer(), nullable=False),
        _to("spot_check_frame", "plan_id", "spot_check_plans"),
        _to("spot_check_frame", "visit_id", "visits"),
        sa.PrimaryKeyConstraint("plan_id", "visit_id", name=op.f("pk_spot_check_frame")),
    )
    op.create_table(
        "spot_checks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("village_code", sa.String(length=12), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("checker_id", sa.Uuid(), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("not_possible", sa.String(length=32), nullable=True),
        sa.Column("result", sa.String(length=32), nullable=True),
        sa.CheckConstraint(
            "not_possible IN ('unreachable', 'dead', 'moved', 'refused', 'unable')",
            name=op.f("ck_spot_checks_not_possible_known"),
        ),
        sa.CheckConstraint(
            "result IN ('pass', 'minor', 'major', 'needs_inquiry')", name=op.f("ck_spot_checks_result_known")
        ),
        sa.CheckConstraint(
            "state IN ('drawn', 'assigned', 'checked', 'inquiry', 'judged', 'not_possible')",
            name=op.f("ck_spot_checks_state_known"),
        ),
        sa.CheckConstraint(
            "why IN ('always', 'stratum', 'every_visitor', 'every_village')",
            name=op.f("ck_spot_checks_why_known"),
        ),
        _to("spot_checks", "checker_id", "workers"),
        _to("spot_checks", "person_id", "persons"),
        _to("spot_checks", "plan_id", "spot_check_plans"),
        _to("spot_checks", "visit_id", "visits"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spot_checks")),
    )
    op.create_index("ix_spot_checks_checker", "spot_checks", ["checker_id", "state", "id"])
    op.create_index("ix_spot_checks_original", "spot_checks", ["visit_id"])
    op.create_index("ix_spot_checks_person", "spot_checks", ["person_id"])
    op.create_index("ix_spot_checks_plan", "spot_checks", ["plan_id", "ordinal"])
    op.create_index("uq_spot_checks_visit", "spot_checks", ["plan_id", "visit_id"], unique=True)
    op.create_table(
        "back_checks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("check_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("checker_id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spoke_to", sa.String(length=32), nullable=False),
        sa.Column("recall", sa.String(length=32), nullable=False),
        sa.Column("recalled_on", sa.Date(), nullable=True),
        sa.Column("day_fits", sa.Boolean(), nullable=True),
        sa.Column("reached", sa.Boolean(), nullable=False),
        sa.Column("looked_first", sa.Boolean(), nullable=False),
        sa.Column("open_answers", sa.JSON(), nullable=False),
        sa.Column("private_sealed", sa.Text(), nullable=True),
        sa.Column("photo_ids", sa.JSON(), nullable=False),
        sa.Column("proposed", sa.String(length=32), nullable=True),
        sa.CheckConstraint("method IN ('call_back', 'revisit')", name=op.f("ck_back_checks_method_known")),
        sa.CheckConstraint(
            "proposed IN ('pass', 'minor', 'major', 'needs_inquiry')",
            name=op.f("ck_back_checks_proposed_known"),
        ),
        sa.CheckConstraint(
            "recall IN ('confirmed', 'denied', 'cannot_remember', 'unreachable')",
            name=op.f("ck_back_checks_recall_known"),
        ),
        sa.CheckConstraint(
            "spoke_to IN ('person', 'caregiver', 'relative', 'neighbour', 'cadre', 'nobody')",
            name=op.f("ck_back_checks_spoke_to_known"),
        ),
        _to("back_checks", "check_id", "spot_checks"),
        _to("back_checks", "checker_id", "workers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_back_checks")),
    )
    op.create_index("ix_back_checks_check", "back_checks", ["check_id", "received_at"])
    op.create_index(
        "uq_back_checks_reached",
        "back_checks",
        ["check_id"],
        unique=True,
        postgresql_where=sa.text("reached"),
        sqlite_where=sa.text("reached"),
    )
    op.create_table(
        "rectifications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("check_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("village_code", sa.String(length=12), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("what_sealed", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("rechecked_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'notified', 'answered', 'rechecked', 'reopened', 'closed', 'withdrawn')",
            name=op.f("ck_rectifications_state_known"),
        ),
        _to("rectifications", "check_id", "spot_checks"),
        _to("rectifications", "owner_id", "workers"),
        _to("rectifications", "person_id", "persons"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rectifications")),
    )
    op.create_index(
        "ix_rectifications_due",
        "rectifications",
        ["due_on", "id"],
        postgresql_where=sa.text("state IN ('notified', 'answered', 'reopened')"),
        sqlite_where=sa.text("state IN ('notified', 'answered', 'reopened')"),
    )
    op.create_index("ix_rectifications_owner", "rectifications", ["owner_id", "id"])
    op.create_index("ix_rectifications_village", "rectifications", ["village_code", "id"])
    op.create_index("uq_rectifications_check", "rectifications", ["check_id"], unique=True)
    op.create_table(
        "spot_check_judgements",
        sa.Column("check_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("result", sa.String(length=32), nullable=False),
        sa.Column("proposed", sa.String(length=32), nullable=True),
        sa.Column("reason_sealed", sa.Text(), nullable=True),
        sa.Column("judged_by", sa.Uuid(), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "proposed IN ('pass', 'minor', 'major', 'needs_inquiry')",
            name=op.f("ck_spot_check_judgements_proposed_known"),
        ),
        sa.CheckConstraint(
            "result IN ('pass', 'minor', 'major', 'needs_inquiry')",
            name=op.f("ck_spot_check_judgements_result_known"),
        ),
        _to("spot_check_judgements", "check_id", "spot_checks"),
        _to("spot_check_judgements", "judged_by", "workers"),
        sa.PrimaryKeyConstraint("check_id", "revision", name=op.f("pk_spot_check_judgements")),
    )
    op.create_table(
        "back_check_answers",
        sa.Column("back_check_id", sa.Uuid(), nullable=False),
        sa.Column("question", sa.String(length=60), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("differs", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('type_1', 'type_2', 'type_3')", name=op.f("ck_back_check_answers_kind_known")
        ),
        _to("back_check_answers", "back_check_id", "back_checks"),
        sa.PrimaryKeyConstraint("back_check_id", "question", name=op.f("pk_back_check_answers")),
    )
    op.create_index("ix_back_check_answers_plan", "back_check_answers", ["plan_id", "question"])
    op.create_table(
        "rectification_escalations",
        sa.Column("rectification_id", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("village_code", sa.String(length=12), nullable=False),
        sa.Column("days_late", sa.Integer(), nullable=False),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=False),
        _to("rectification_escalations", "rectification_id", "rectifications"),
        sa.PrimaryKeyConstraint(
            "rectification_id", "due_on", "step", name=op.f("pk_rectification_escalations")
        ),
    )
    op.create_table(
        "rectification_steps",
        sa.Column("rectification_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("text_sealed", sa.Text(), nullable=True),
        sa.Column("photo_ids", sa.JSON(), nullable=False),
        sa.Column("taken_by", sa.Uuid(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'notified', 'answered', 'rechecked', 'reopened', 'closed', 'withdrawn')",
            name=op.f("ck_rectification_steps_state_known"),
        ),
        sa.CheckConstraint(
            "step IN ('notify', 'answer', 'recheck', 'close', 'reopen', 'withdraw')",
            name=op.f("ck_rectification_steps_step_known"),
        ),
        _to("rectification_steps", "rectification_id", "rectifications"),
        _to("rectification_steps", "taken_by", "workers"),
        sa.PrimaryKeyConstraint("rectification_id", "revision", name=op.f("pk_rectification_steps")),
    )
    for table in (
        "kinships",
        "back_checks",
        "spot_check_judgements",
        "rectifications",
        "rectification_steps",
    ):
        op.create_index(f"ix_{table}_person", table, ["person_id"])
    op.create_index("ix_visits_received", "visits", ["received_at"], postgresql_using="brin")
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)

"""Every table, imported in one place, so that the metadata is whole for migrations and tests."""

from sqlalchemy import CheckConstraint

from server.accounts import models as accounts
from server.db import Base, Word
from server.evidence import models as evidence
from server.feedback import models as feedback
from server.ledger import models as ledger
from server.people import models as people
from server.photos import models as photos
from server.policies import models as policies
from server.problems import models as problems
from server.regions import models as regions
from server.reviews import models as reviews
from server.schedule import models as schedule
from server.spotchecks import models as spotchecks
from server.spotchecks import rectification_models as rectifications
from server.vault import models as vault
from server.visits import models as visits

ROOMS = (
    accounts,
    evidence,
    feedback,
    ledger,
    people,
    photos,
    policies,
    problems,
    regions,
    reviews,
    schedule,
    spotchecks,
    rectifications,
    vault,
    visits,
)
METADATA = Base.metadata


def _check_words() -> None:
    """Let the database itself refuse a word that is in no vocabulary."""
    for table in METADATA.tables.values():
        for column in table.columns:
            if isinstance(column.type, Word):
                known = column.in_([member.value for member in column.type.vocabulary])
                table.append_constraint(CheckConstraint(known, name=f"{column.name}_known"))


_check_words()

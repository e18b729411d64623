"""Every table, imported in one place, so that the metadata is whole for migrations and tests."""

from server.accounts import models as accounts
from server.db import Base
from server.feedback import models as feedback
from server.jobs import models as jobs
from server.ledger import models as ledger
from server.people import models as people
from server.photos import models as photos
from server.policies import models as policies
from server.problems import models as problems
from server.regions import models as regions
from server.schedule import models as schedule
from server.vault import models as vault
from server.visits import models as visits

ROOMS = (
    accounts,
    feedback,
    jobs,
    ledger,
    people,
    photos,
    policies,
    problems,
    regions,
    schedule,
    vault,
    visits,
)
METADATA = Base.metadata

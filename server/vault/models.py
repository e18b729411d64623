"""Where data keys rest: one row a key, wrapped under the key ring, in a schema of its own."""

import datetime as dt
from uuid import UUID

from sqlalchemy import LargeBinary, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from server.db import VAULT, Base


class StoredKey(Base):
    """A data key, wrapped. `wrapped` is None once the key is destroyed: what it sealed stays unreadable."""

    __tablename__ = "data_keys"
    __table_args__ = ({"schema": VAULT},)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    wrapped: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[dt.datetime]
    destroyed_at: Mapped[dt.datetime | None]

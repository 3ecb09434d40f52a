"""Which keys this database belongs to: a check value of each version, and nothing that a key could be made from."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from monitor.db import Base


class KeyCheck(Base):
    """A key version that digests and seals here. `check_value`: `Vault.check_values`, 32 bytes."""

    __tablename__ = "key_checks"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    check_value: Mapped[bytes] = mapped_column(LargeBinary(32))
    recorded_at: Mapped[datetime]

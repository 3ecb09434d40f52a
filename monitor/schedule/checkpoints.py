"""Every hour a signed head of the audit trail, outside the database; the operator is told where that fails."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.instants import HOUR
from monitor.models.audit import AuditEntry
from monitor.release.checkpoints import load_key, newest_checkpoint, write_checkpoint
from monitor.release.signing import SigningKey
from monitor.schedule import alerts
from monitor.settings import Settings

LOOK = 60.0  # seconds between looks at whether an hour has passed
_SUBJECT = "the audit trail"
_log = logging.getLogger(__name__)


@dataclass
class Checkpoints:
    """Writes a checkpoint where the newest one in the home folder is an hour old."""

    settings: Settings
    engine: Engine
    told: bool = False  # that there is no key

    def go(self, now: int) -> None:
        """Look, and write where it is time; raises SQLAlchemyError or Superseded, and can then be gone again."""
        newest = newest_checkpoint(self.settings.checkpoint_folders[0])
        if newest is not None and now - HOUR < newest <= now:  # one of the future was planted, or the clock put back
            return
        with transaction(self.engine) as session:
            if session.scalar(select(AuditEntry.id).limit(1)) is not None:
                self._write(session, now)

    def _write(self, session: Session, now: int) -> None:
        try:
            key = load_key(self.settings)
            if key is None:
                self._say_once()
                return
            _signed(session, self.settings, key, now)
        except MonitorError as error:
            if alerts.begin(session, alerts.CHECKPOINT_FAILED, _SUBJECT, {"reason": str(error)}, now):
                _log.error("%s", error, extra={"event": "checkpoint_failed"})
        else:
            alerts.end(session, alerts.CHECKPOINT_FAILED, _SUBJECT, now)

    def _say_once(self) -> None:
        if not self.told:
            _log.warning("no checkpoint is written: make a key with `monitor keys signing`", extra={"event": "no_key"})
        self.told = True


def _signed(session: Session, settings: Settings, key: SigningKey, now: int) -> None:
    written = write_checkpoint(session, settings, key, now)
    _log.info("checkpoint %s written", written[0].name, extra={"event": "checkpoint"})

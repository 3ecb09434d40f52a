"""Every hour a signed head of the audit trail, outside the database; the operator is told where that fails."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy import Engine

from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.instants import HOUR
from monitor.release.checkpoints import load_key, newest_checkpoint, write_checkpoint
from monitor.schedule import alerts
from monitor.settings import Settings

LOOK = 60.0  # seconds between looks at whether an hour has passed
_SUBJECT = "the audit trail"
_log = logging.getLogger(__name__)


@dataclass
class Checkpoints:
    """Writes a checkpoint where the newest one in the home folder is an hour old.

    `told`: that there is no key. `failing`: the last one failed, or it is not known yet whether one did before us.
    """

    settings: Settings
    engine: Engine
    told: bool = False
    failing: bool = True

    def go(self, now: int) -> None:
        """Look, and write where it is time; raises SQLAlchemyError or Superseded, and can then be gone again."""
        newest = newest_checkpoint(self.settings.checkpoint_folders[0])
        if newest is not None and now - HOUR < newest <= now:  # one of the future was planted, or the clock put back
            return
        try:
            written = self._write(now)
        except MonitorError as error:
            self._failed(str(error), now)
            return
        if written and self.failing:
            with transaction(self.engine) as session:
                alerts.end(session, alerts.CHECKPOINT_FAILED, _SUBJECT, now)
            self.failing = False

    def _write(self, now: int) -> bool:
        """Whether there was something to sign, and a key; this only reads the database, which others may be writing."""
        key = load_key(self.settings)
        if key is None:
            self._say_once()
            return False
        with transaction(self.engine) as session:
            files = write_checkpoint(session, self.settings, key, now)
        if files:
            _log.info("checkpoint %s written", files[0].name, extra={"event": "checkpoint"})
        return bool(files)

    def _failed(self, reason: str, now: int) -> None:
        self.failing = True
        with transaction(self.engine) as session:
            is_new = alerts.begin(session, alerts.CHECKPOINT_FAILED, _SUBJECT, {"reason": reason}, now)
        if is_new:
            _log.error("%s", reason, extra={"event": "checkpoint_failed"})

    def _say_once(self) -> None:
        if not self.told:
            _log.warning("no checkpoint is written: make a key with `monitor keys signing`", extra={"event": "no_key"})
        self.told = True

"""The words of SCART: what each status of a notice or an item says, and the values that columns may hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from monitor.vocabulary import Channel, DeliveryState, Pause

CUT_AT = 255  # characters of a URL that a notice keeps

SENT: Mapping[str, tuple[DeliveryState, Channel]] = MappingProxyType(
    {
        "sent_succes": (DeliveryState.ASSUMED, Channel.EMAIL),
        "sent_api_succes": (DeliveryState.DELIVERED, Channel.API),
        "sent_failed": (DeliveryState.FAILED, Channel.EMAIL),
        "sent_api_failed": (DeliveryState.FAILED, Channel.API),
    }
)
NOT_SENT = frozenset(
    {"init", "grouping", "queued", "queue_directly", "queue_directly_police", "close", "close_notNL", "close_notGDPR"}
)
OFFLINE = frozenset({"close_offline", "close_offline_manual"})
PAUSED: Mapping[str, Pause] = MappingProxyType(
    {
        "abusecontact_changed": Pause.HOST_CHANGED,
        "first_police": Pause.POLICE_HOLD,
        "scheduler_checkonline_manual": Pause.MANUAL_CHECK,
    }
)
BEING_CHECKED = frozenset(
    {"open", "scheduler_scrape", "scheduler_ai_analyze", "cannot_scrape", "work", "ai_analyze", "grade",
     "scheduler_checkonline", "close_double"}
)  # fmt: skip
CHANGED, CLOSED = "abusecontact_changed", "close"
STATUSES = OFFLINE | BEING_CHECKED | frozenset(PAUSED) | {CLOSED}
TYPES = frozenset(
    {"website", "filehost", "imagehost", "imagestore", "imageboard", "bannersite", "linksite", "socialsite",
     "redirector", "webarchived", "searchprovider", "blog", "forum", "webpage", "notdetermined", "notapplicable"}
)  # fmt: skip
HASH_ANSWERS: Mapping[str, bool] = MappingProxyType(
    {"1": True, "true": True, "y": True, "": False, "0": False, "false": False, "n": False}
)

ITEM_NUMBER = re.compile(r"[IN]\d+", re.ASCII)

"""The closed vocabularies of the facts: kinds, roles, states and bases, as stored; and how long a text may be."""

from enum import StrEnum

LONGEST_RECIPIENT, LONGEST_COUNTRY, LONGEST_REFERENCE = 255, 64, 64  # characters of a notice's texts


class Kind(StrEnum):
    """What kind of notice was sent."""

    HOTLINE_NOTICE = "hotline_notice"
    BINDING_INSTRUCTION = "binding_instruction"
    REMOVAL_ORDER = "removal_order"
    HASH_HIT = "hash_hit"


class Role(StrEnum):
    """In which role the recipient was addressed, UNKNOWN where nobody says. Only a HOSTER's clock starts."""

    HOSTER = "hoster"
    SITE_OWNER = "site_owner"
    REGISTRAR = "registrar"
    POLICE = "police"
    UNKNOWN = "unknown"


class Channel(StrEnum):
    """How the notice was sent."""

    EMAIL = "email"
    API = "api"


class DeliveryState(StrEnum):
    """What is known about the notice's arrival."""

    DELIVERED = "delivered"
    ASSUMED = "assumed"
    FAILED = "failed"
    REFUSED = "refused"


CLOCK_STARTING = (DeliveryState.DELIVERED, DeliveryState.ASSUMED)  # a notice that arrived so starts the clock


class State(StrEnum):
    """What an observer saw."""

    ONLINE = "online"
    OFFLINE = "offline"
    MOVED = "moved"
    UNKNOWN = "unknown"


class Pause(StrEnum):
    """Why a clock stands still."""

    OUTAGE = "outage"
    BLOCKED_HOURS = "blocked_hours"
    HOST_CHANGED = "host_changed"
    POLICE_HOLD = "police_hold"
    MANUAL_CHECK = "manual_check"


class Basis(StrEnum):
    """On what an attribution rests, strongest first; NONE says that nobody could be named."""

    DECISION = "decision"
    HOTLINE = "hotline"
    DOMAIN_RULE = "domain_rule"
    IP_RANGE = "ip_range"
    ASN = "asn"
    NONE = "none"


class Claim(StrEnum):
    """What the registry says belongs to a company."""

    ALIAS = "alias"
    ABUSE_ADDRESS = "abuse_address"
    ASN = "asn"
    PREFIX = "prefix"
    DOMAIN = "domain"


class Decision(StrEnum):
    """What a correction decides."""

    WITHDRAW_NOTICE = "withdraw_notice"
    REASSIGN = "reassign"
    SET_REMOVAL = "set_removal"
    EXCLUDE_INTERVAL = "exclude_interval"


class Verdict(StrEnum):
    """What became of a delivery: only what is ok counts; what is suspicious is pending review."""

    OK = "ok"
    SUSPICIOUS = "suspicious"
    REFUSED = "refused"

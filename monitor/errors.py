"""Errors meant for the person at the command line: what is wrong, where, and what to do about it."""


class MonitorError(Exception):
    """Something the user can act on; shown as one message, never as a stack trace."""


class DeliveryError(MonitorError):
    """A delivery that cannot be ingested at all: nothing of it was stored."""


class ConfigurationError(MonitorError):
    """A setting, key or database that is missing or wrong."""

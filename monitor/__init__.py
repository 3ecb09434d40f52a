"""The core of the hosting-abuse compliance monitor: from deliveries to a published, ranked table."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("hosting-abuse-compliance-monitor")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0+checkout"

"""What attacks need: a web server and an installation."""

from tests.spiders.conftest import installation, site

__all__ = ["installation", "site"]

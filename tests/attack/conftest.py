"""What attacks need: a web server, an installation, and the site with releases."""

from tests.spiders.conftest import installation, site
from tests.web.conftest import app, home

__all__ = ["app", "home", "installation", "site"]

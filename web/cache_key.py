"""Which requests are answered from memory, and when two of them ask for the same thing."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from web.transfer import takes_gzip

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_LONGEST = 1000  # signs of a path, a query or a header: what is longer is not worth keeping
_CHOOSES_BY_ACCEPT = "/api/"
_PASSES = ("HTTP_AUTHORIZATION", "HTTP_RANGE", "HTTP_IF_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE")


def key_of(environ: WSGIEnvironment) -> str | None:
    """All that an answer may depend on, as one text; None for a request that is not answered from memory.

    The host counts, so that an answer made for a false one is given to nobody else. All of the query counts, in the
    order of its names: whoever repeats a name or adds one is answered by the application, never with another's page.
    """
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or any(name in environ for name in _PASSES):
        return None
    path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
    host = environ.get("HTTP_HOST", "")
    accept = environ.get("HTTP_ACCEPT", "") if "accept" in told_apart(environ) else ""
    if max(map(len, (path, query, host, accept))) > _LONGEST or not query.isascii():
        return None
    encoding = "gzip" if takes_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")) else ""
    # repr: no part can be written so that it reads as the beginning of the next
    return repr((environ.get("wsgi.url_scheme"), host, path, _canonical(query), encoding, accept))


def told_apart(environ: WSGIEnvironment) -> set[str]:
    """The headers of a request that its key holds; an answer that varies by another is not kept."""
    chooses = environ.get("PATH_INFO", "").startswith(_CHOOSES_BY_ACCEPT)
    return {"accept-encoding", "accept"} if chooses else {"accept-encoding"}


def _canonical(query: str) -> tuple[tuple[str, str], ...]:
    """The pairs in the order of their names; of one name in the order given, for the first may count."""
    if not query:
        return ()
    return tuple(sorted(parse_qsl(query, keep_blank_values=True, errors="surrogateescape"), key=itemgetter(0)))

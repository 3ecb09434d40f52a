"""Scrapy's settings: one request at a time, to the configured host only, nothing kept on disk."""

from __future__ import annotations

BOT_NAME = "hosting-abuse-compliance-monitor"
SPIDER_MODULES = ["spiders.urlhaus", "spiders.scart_drop", "spiders.ris", "spiders.pfx2as"]
USER_AGENT = "hosting-abuse-compliance-monitor/0.1 (collects deliveries addressed to it; metadata only)"
ADDONS: dict[str, int] = {}

# robots.txt speaks to robots that roam. A collector fetches one file, or one folder, that is meant for it.
ROBOTSTXT_OBEY = False

# Deliveries are full of reported URLs: no copy of them is kept, and this process listens on no port.
HTTPCACHE_ENABLED = False
COOKIES_ENABLED = False
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
METAREFRESH_ENABLED = False
REFERRER_POLICY = "no-referrer"
DOWNLOAD_HANDLERS = dict.fromkeys(("data", "file", "ftp", "s3"))
DOWNLOAD_VERIFY_CERTIFICATES = True  # Scrapy's own default is not to look

# Scrapy takes what can be unpacked of a body that is damaged or cut off for the whole of it. Our own reader unpacks
# gzip, and refuses such a file; servers are asked to send files as they are.
COMPRESSION_ENABLED = False
DEFAULT_REQUEST_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity"}

CONCURRENT_REQUESTS = 1
CONCURRENT_REQUESTS_PER_DOMAIN = 1
REDIRECT_MAX_TIMES = 3
REDIRECT_PRIORITY_ADJUST = 0  # as with retries: files keep their order
DOWNLOAD_TIMEOUT = 600
# A download is held in memory, about twice: what is larger is refused here. Larger exports come as .csv.zst, or
# through a directory, from which they are copied piece by piece.
DOWNLOAD_MAXSIZE = 256 * 1024 * 1024
DOWNLOAD_WARNSIZE = 0

RETRY_TIMES = 3
RETRY_HTTP_CODES = [500, 502, 503, 504, 408, 429]
RETRY_PRIORITY_ADJUST = 0
RETRY_WAIT = 5.0  # seconds before the first retry, doubled each time
HTTPERROR_ALLOW_ALL = True  # the spider says what an answer means; Scrapy would log it and move on

DOWNLOADER_MIDDLEWARES = {
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,  # lets subdomains through
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,  # retries at once
    "spiders.middlewares.OneHost": 50,
    "spiders.middlewares.Backoff": 550,
}
ITEM_PIPELINES = {"spiders.pipeline.IngestPipeline": 100}

LOG_LEVEL = "INFO"  # DEBUG would print items and answers
LOG_INSTALL_ROOT_HANDLER = False  # ours, in spiders/crawl.py, shortens what it logs
LOG_VERSIONS: list[str] = []
STATS_DUMP = False
LOGSTATS_INTERVAL = 0.0

"""Collectors: Scrapy spiders that fetch deliveries from configured places and ingest them."""

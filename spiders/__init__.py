"""Collectors: Scrapy spiders that fetch deliveries from configured places and hand them to the intake."""

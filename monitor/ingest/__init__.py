"""Ingestion: records become facts; one delivery, one transaction, no fact twice."""

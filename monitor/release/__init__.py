"""Releases: draft, publish, verify. A published release is never changed."""

"""Pushes of notices: applied in a process of their own, so that the site answers whatever is sent."""

"""Pushes of notices: applied in a process of their own, so that no push holds up or crashes the site."""

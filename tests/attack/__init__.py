"""Attacks that once worked, kept so that they never do again."""

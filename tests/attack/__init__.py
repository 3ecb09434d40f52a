"""Attacks: what somebody with access he should not have can try, and what then happens."""

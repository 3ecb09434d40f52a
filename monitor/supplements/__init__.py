"""Measures that stand beside the ranking and never move it (docs/method.md, "Beside the ranking")."""

"""Measures that stand beside the ranking and never move it (docs/method.md, "Beside the ranking")."""

MEASURES = ("recurrence", "returned", "case-mix", "cusum", "trend", "clocks", "step-effect")

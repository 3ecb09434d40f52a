"""What runs when: one leader, one job a source, one process a run; and the record of how each run ended."""

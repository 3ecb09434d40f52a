"""What runs when: one leader in one term, one process a run, and what the operator is told when something is wrong."""

"""Who may push notices, how often, and what was answered: tokens, their rate, and requests made twice."""

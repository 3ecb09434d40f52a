"""From facts to a ranked table: episodes, estimates, ranks, under one frozen method version."""

"""Taking in: records become facts; one delivery, one transaction, nothing twice."""

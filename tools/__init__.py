"""Programs for whoever maintains this."""

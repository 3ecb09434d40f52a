"""Published rows as files: JSON, CSV, the data package with its columns and texts."""

"""What the site and the report share: rows, charts and formatting, so that the two cannot disagree."""

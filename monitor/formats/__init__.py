"""Formats: pure, strict parsers from bytes to records. They read no database and open no connection."""

"""The public site: reads published releases and shows them, in Dutch and English."""

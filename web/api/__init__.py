"""The API under /api/v1 for hotlines: pushing notices, and the reports of what became of them."""

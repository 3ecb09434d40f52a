"""Estimators of survival analysis on plain arrays: no database, no facts, nothing of the rest of the product."""

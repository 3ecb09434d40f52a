"""The words, numbers and sentences that site, open data and report share, in Dutch and English."""

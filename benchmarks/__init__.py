"""Speed, as ratios within one run: absolute times drift with the machine, ratios hold."""

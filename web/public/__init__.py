"""The public site: reads the publications folder, and nothing else."""

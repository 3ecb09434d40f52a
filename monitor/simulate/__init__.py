"""A synthetic hotline with known truth: its exports, the registry of its companies, and what really happened."""

from monitor.simulate.run import Summary, simulate
from monitor.simulate.scenarios import SCENARIOS

__all__ = ["SCENARIOS", "Summary", "simulate"]

"""A synthetic hotline with known truth: its exports, the registry of its companies, and what really happened."""

from monitor.simulate.item_exports import EXPORTS
from monitor.simulate.run import Summary, simulate
from monitor.simulate.scenarios import SCENARIOS

__all__ = ["EXPORTS", "SCENARIOS", "Summary", "simulate"]

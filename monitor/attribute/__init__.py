"""Which company hosted an item when a notice about it was sent, and on what basis."""

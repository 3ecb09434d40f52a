"""What observers look at and what they may conclude: which items are open, and what an answer says of one."""

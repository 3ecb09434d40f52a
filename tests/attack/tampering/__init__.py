"""What somebody who can write to the database or the publications folder can try, and what then finds it."""

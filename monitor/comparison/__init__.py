"""What differs between published tables: of two releases, from quarter to quarter, under another norm."""

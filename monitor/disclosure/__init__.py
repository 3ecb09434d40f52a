"""What may be published of a table: rows, totals, the network and anonymised episodes, nothing that identifies."""

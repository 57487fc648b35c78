"""Quality of the bank, proven by numbers: one file a kind of check (floor F2)."""

"""The bank in other tools' formats (floor F2)."""

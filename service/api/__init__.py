"""The HTTP API: parses, asks the rooms below, and writes the answer. No rule and no SQL stands here."""

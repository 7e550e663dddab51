"""The reprint over HTTP."""

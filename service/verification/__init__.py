"""Verification by the service itself, for whoever has no verifier: the same recipe, the same chain, and marked as the service's."""

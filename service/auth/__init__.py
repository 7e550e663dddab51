"""Who is asking: programs with an API key, people with password and one-time code."""

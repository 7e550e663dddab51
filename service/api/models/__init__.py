"""Bodies: what is sent is parsed by these models; what is answered is held to them by tests, and promised by /openapi.json."""

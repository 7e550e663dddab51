"""Pages: templates, static files, and the policy that they are served under. No logic: the browser checks, the API answers."""

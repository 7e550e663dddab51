"""Who is asking: API keys now; people with password and TOTP follow."""

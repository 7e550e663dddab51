"""Deliveries: one queue for e-mail, SMS and webhooks. Nothing here knows what is told, or to whom it matters."""

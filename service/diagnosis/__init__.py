"""Where an invoice got lost, who owes the next step, and how it is brought back."""

"""What an invoice holds, which rules it keeps, and what happens to it: issued, voided, reversed, found."""

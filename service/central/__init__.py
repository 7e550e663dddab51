"""How records reach others: the feed, those who follow it, and mirrors."""

"""What scripts/demo shows. See `python -m scripts.tour --help`."""

"""External records against our proven store: a city's or a company's table, view or file."""

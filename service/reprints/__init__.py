"""The reprint (补打): five steps, two reviewers, one provable replacement."""

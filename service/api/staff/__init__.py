"""Operations for people at a desk: sessions, accounts, the activity log, releases, evidence, what an auditor looks at."""

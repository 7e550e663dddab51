"""The proof core of Zhengpiao: what is hashed, what is proven, and what a verifier checks (protocol zp1)."""

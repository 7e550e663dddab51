"""The registry: it accepts invoices, seals and anchors them, and hands out their proofs."""

"""The ledger: accepted entries, the batches that seal them, the register pages, the outbox that brings a batch to the chain."""

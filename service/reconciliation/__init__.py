"""Reconciliation: do our store, an external record and every node still say what was anchored?"""

"""The chain as the worker uses it."""

from service.chain.contract import GAS_LIMIT, Anchored, Chain, NotSent, View
from service.chain.endpoint import Block, ChainTrouble, Endpoint

__all__ = ["GAS_LIMIT", "Anchored", "Block", "Chain", "ChainTrouble", "Endpoint", "NotSent", "View"]

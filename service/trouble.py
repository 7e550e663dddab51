"""Everything that can keep anchors from being read or mined, in one table; docs/operations.md shows it to operators."""

from enum import StrEnum
from typing import Self


class Trouble(StrEnum):
    """A code for machines with what it means, what a person can do, and whether it is an alarm.

    The code shows in /status, metrics, logs and incidents. In every trouble accepted entries are kept, receipts promise a longer
    time, the worker tries on, and anchoring goes on by itself once the cause is gone. An alarm is also written down as an incident:
    its cause will hardly go away without a person.
    """

    meaning: str
    remedy: str
    is_alarm: bool

    def __new__(cls, code: str, meaning: str, remedy: str, is_alarm: bool = False) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning, member.remedy, member.is_alarm = meaning, remedy, is_alarm
        return member

    UNREACHABLE = "unreachable", "No endpoint answers.", "See to the nodes; a second endpoint helps."
    BAD_ANSWER = (
        "bad_answer",
        "What the endpoints answer is no answer.",
        "See to the nodes, and to whatever stands before them.",
    )
    UNSETTLED = (
        "unsettled",
        "The endpoints are on different forks.",
        "Wait; if it lasts, one of the nodes is on a wrong fork.",
    )
    BEHIND = (
        "behind",
        "No endpoint has a block that was final already. No proof is handed out.",
        "Wait until a node has caught up, or add one. If the chain was reset, its anchors are gone.",
    )
    NO_BLOCKS = (
        "no_blocks",
        "There was no new block for longer than receipts promise; or our clock is ahead.",
        "See to the chain and to the clock.",
    )
    NO_FINALITY = (
        "no_finality",
        "The newest final block is older than ZHENGPIAO_MAX_LAG_S: verifiers can check nothing now.",
        "See to the chain's validators.",
    )
    CLOCK_BEHIND = "clock_behind", "Our clock is behind the chain's.", "Set the clock.", True
    WRONG_CHAIN = (
        "wrong_chain",
        "The endpoints are of another chain. No proof is handed out.",
        "Correct ZHENGPIAO_RPC_URLS or ZHENGPIAO_CHAIN_ID.",
        True,
    )
    NO_CONTRACT = (
        "no_contract",
        "There is no contract at its address. No proof is handed out.",
        "Correct ZHENGPIAO_CONTRACT; or the chain was reset.",
        True,
    )
    FINAL_VANISHED = (
        "final_vanished",
        "What was final is not on the chain any more. Everything stops and no proof is handed out.",
        "Ask who runs the chain: it was reset or rewritten. Do not deploy anew before that is clear.",
        True,
    )
    ENDPOINTS_DISAGREE = (
        "endpoints_disagree",
        "Two endpoints contradict each other.",
        "Find out which one is wrong, and take it out of ZHENGPIAO_RPC_URLS.",
        True,
    )
    PAUSED = "paused", "The contract is paused.", "Its pauser knows why, and can unpause it.", True
    ROLE_MISSING = (
        "role_missing",
        "The anchoring key does not hold the anchoring role.",
        "The contract's admin can grant it.",
        True,
    )
    NO_FUNDS = "no_funds", "The anchoring key cannot pay for a transaction.", "Send it some of the chain's currency.", True
    FEE_CAP = (
        "fee_cap",
        "A transaction that would be mined now costs more than ZHENGPIAO_MAX_FEE_GWEI.",
        "Wait until fees fall, or raise the cap.",
        True,
    )
    STUCK = (
        "stuck",
        "A transaction is not mined after ZHENGPIAO_STUCK_S.",
        "Wait: it is replaced by dearer ones, up to the cap.",
    )
    NOT_SENT = "not_sent", "No endpoint takes the transaction.", "The detail has the nodes' own words."
    REVERTED = "reverted", "The contract would refuse the anchor; none is paid for.", "Report it, with the detail.", True
    SEQ_TAKEN = (
        "seq_taken",
        "Another anchor took the seq; when that is final, ours are sealed again under the next one.",
        "Find out who holds the anchoring role, and revoke it.",
    )
    WORKER_FAILED = (
        "worker_failed",
        "The worker met an error that it does not know, and tries again.",
        "Its log names the place; report it.",
        True,
    )

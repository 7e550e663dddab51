"""Every sentence of a diagnosis, in Chinese and English: verdicts, who owes the next step, what that is, and what it costs.

No sentence accuses anybody. Titles are for headings, details say what was found.
"""

from service.diagnosis.case import HopName, HopState
from service.diagnosis.rules import Action, Fee, Responsible, Verdict
from service.diagnosis.typing_errors import Field, Slip
from service.messages import Language

Pair = tuple[str, str]

TITLES: dict[Verdict, Pair] = {
    "present": ("各环节均在", "At every hop"),
    "replaced": ("已被补打替换", "Replaced by a reprint"),
    "void": ("已作废", "Void"),
    "reversed": ("已红冲", "Reversed"),
    "partly_reversed": ("部分红冲", "Partly reversed"),
    "released": ("登记已撤回", "Registration withdrawn"),
    "detail_mismatch": ("所填内容不符", "The details do not match"),
    "accepted_not_sealed": ("已受理，待封批", "Accepted, not yet sealed"),
    "sealed_not_anchored": ("已封批，待上链", "Sealed, not yet anchored"),
    "anchored_not_final": ("已上链，待终局", "Anchored, not yet final"),
    "receipt_breached": ("受理承诺未兑现", "The receipt's promise was broken"),
    "not_delivered_to_central": ("尚未送达中心系统", "Not delivered to the central record"),
    "delivered_not_visible": ("已送达，查询节点未显示", "Delivered, not shown by a query node"),
    "node_lagging": ("查询节点滞后", "A query node lags behind"),
    "lost_after_anchor": ("存证后记录丢失", "Lost after it was anchored"),
    "altered": ("记录与存证不符", "The record was altered"),
    "never_submitted": ("没有登记过", "Never submitted"),
    "other_region": ("属于其他地区", "Of another region"),
    "forged": ("与存证不符", "Does not match the record"),
    "undecided": ("暂不能确定", "Cannot be told yet"),
}

DETAILS: dict[Verdict, Pair] = {
    "present": (
        "这张发票已登记、已上链终局，并在能查到的每个环节都在。",
        "The invoice is registered and final on chain, and it is there at every hop that could be asked.",
    ),
    "replaced": (
        "同一号码的新一份已经补打，这一份不再是现行的一份。",
        "A newer copy of the same number was made; this one is not current any more.",
    ),
    "void": (
        "本登记簿已将其作废；这不等于税务平台上的状态。",
        "It is void in this registry; that is not its status on the tax platform.",
    ),
    "reversed": ("已被红字发票全额冲销。", "A red-letter invoice has reversed all of it."),
    "partly_reversed": (
        "这张发票在每个环节都在；其中一部分已被红字发票冲减。",
        "The invoice is there at every hop; a part of it was reversed by a red-letter invoice.",
    ),
    "released": ("该号码曾被误登记，登记已撤回。", "The number was registered in error, and the registration was withdrawn."),
    "detail_mismatch": (
        "号码、日期或金额与登记的不一致，很可能是填写有误。",
        "Number, date or amount is not what was registered; most likely something was mistyped.",
    ),
    "accepted_not_sealed": (
        "已签发受理回执，还没有封入批次。",
        "We signed a receipt for it, and it is in no batch yet.",
    ),
    "sealed_not_anchored": ("已封入批次，该批次还没有上链。", "It is in a batch that is not on chain yet."),
    "anchored_not_final": ("已经上链，区块链尚未终局。", "It is on chain, in a block that is not final yet."),
    "receipt_breached": (
        "受理回执承诺的期限已过，期限内的上链批次中没有这一条。这是我们的违约，持有回执的人可以证明。",
        "The deadline of our receipt is past, and no anchor in time has the entry: our breach, which the receipt proves.",
    ),
    "not_delivered_to_central": (
        "已上链终局，中心系统还没有确认收到这一批。",
        "It is final on chain, and the central record has not acknowledged its batch.",
    ),
    "delivered_not_visible": (
        "已上链终局，但有查询节点没有显示它。",
        "It is final on chain, and a query node that has come as far does not show it.",
    ),
    "node_lagging": (
        "已上链终局，有查询节点还没有同步到这一批。",
        "It is final on chain, and a query node has not come as far as its batch.",
    ),
    "lost_after_anchor": (
        "区块链证明它登记过，而本登记簿的记录已丢失。",
        "The chain proves that it was registered, and this registry has lost its record.",
    ),
    "altered": (
        "本登记簿的记录与已上链的内容不符。",
        "This registry's record is not what was anchored.",
    ),
    "never_submitted": (
        "截至最新的上链批次，没有人登记过这个号码。",
        "As of the newest anchor, nobody has registered this number.",
    ),
    "other_region": (
        "这个号码没有在这里登记，其中的地区代码不属于本登记簿。",
        "The number is not registered here, and the region in it is not one that this registry is for.",
    ),
    "forged": (
        "所出示的内容与链上存证不一致，或其签名不是本登记簿签发的。",
        "What was shown is not what was anchored, or its signature is none of this registry's.",
    ),
    "undecided": (
        "现在不能得出结论。这并不表示发票有问题。",
        "Nothing can be concluded now. That does not mean that something is wrong with the invoice.",
    ),
}

RESPONSIBLE: dict[Responsible, Pair] = {
    "system": ("下一步由本登记系统负责。", "The next step is this registry's."),
    "issuer": ("下一步在开票方。", "The next step is the issuer's."),
    "applicant": ("下一步请由您完成。", "The next step is yours."),
    "other_region": ("下一步在其他地区的登记系统。", "The next step is that of another region's registry."),
    "nobody": ("没有谁还欠下一步。", "Nobody owes a step."),
    "undetermined": ("还不能确定由谁负责。", "Who owes the next step cannot be told yet."),
}

ACTIONS: dict[Action, Pair] = {
    "nothing": ("不需要做什么。", "There is nothing to do."),
    "wait": ("请稍候，下一个环节会自动完成。", "Wait: the next hop comes by itself."),
    "try_again": ("请稍后再试。", "Try again later."),
    "check_details": (
        "请对照票面逐项核对号码、日期和金额；最好扫描二维码。",
        "Compare number, date and amount with the paper; better still, scan its QR code.",
    ),
    "ask_issuer": ("请向开票方核实。", "Ask the issuer."),
    "ask_other_region": ("请到该地区的登记系统查询。", "Ask the registry of that region."),
    "report_forgery": ("请不要接受，并告知我们和开票方。", "Do not accept it; tell us and the issuer."),
    "show_receipt": (
        "请保留受理回执：它和所列的上链批次一起就是证据。我们会补登记。",
        "Keep the receipt: with the anchor that is named it proves the breach. We owe the registration still.",
    ),
    "restore_from_copy": (
        "用您手上的这一份即可恢复记录，恢复前会先与链上存证核对。",
        "The copy in your hands restores the record, after it was checked against the chain.",
    ),
    "find_copy": (
        "请找开票方或受票方手中的证明文件：用它可以恢复记录。",
        "Find a proof file that the issuer or the recipient holds: it restores the record.",
    ),
    "apply_for_reprint": ("可以申请补打。", "Apply for a reprint."),
}

FEES: dict[Fee, Pair] = {
    "free": ("责任在系统，如需补打，免费。", "The registry is at fault: a reprint would be free."),
    "charged": ("系统没有差错，如需补打，收费 {amount} 元。", "Nothing went wrong here: a reprint would cost CNY {amount}."),
    "none": ("不涉及费用。", "No fee arises."),
    "undetermined": ("是否收费还不能确定。", "Whether there is a fee cannot be told yet."),
}

FIELDS: dict[Field, Pair] = {
    "number": ("发票号码", "number"),
    "issued_on": ("开票日期", "date of issue"),
    "amount": ("金额（不含税）", "amount without tax"),
    "amount_with_tax": ("价税合计", "amount with tax"),
    "commitment": ("二维码中的指纹", "commitment"),
}

SLIPS: dict[Slip, Pair] = {
    "one_digit": ("{field}有一位不同。", "One digit of the {field} differs."),
    "transposed": ("{field}有相邻两位颠倒。", "Two neighbouring digits of the {field} are swapped."),
    "length": ("{field}多了或少了一位。", "The {field} has a character too many or too few."),
    "year": ("{field}中的年份与开票日期不符。", "The year in the {field} is not that of the date of issue."),
    "region": ("{field}中的地区代码不存在。", "The {field} names a region that does not exist."),
    "day_and_month": ("{field}的月和日颠倒了。", "Day and month of the {field} are swapped."),
    "with_and_without_tax": (
        "{field}填成了另一个：含税与不含税弄反了。",
        "The {field} is the other one: with and without tax are swapped.",
    ),
    "sign": ("{field}的正负号不对。", "The sign of the {field} is wrong."),
    "decimal_point": ("{field}的小数点位置不对。", "The decimal point of the {field} is misplaced."),
    "other": ("{field}不一致。", "The {field} differs."),
}

HOPS: dict[HopName, Pair] = {
    "shown": ("所出示的材料", "what was shown"),
    "registered": ("登记", "registered"),
    "submitted": ("提交", "submitted"),
    "accepted": ("受理（回执）", "accepted (receipt)"),
    "sealed": ("封批", "sealed"),
    "broadcast": ("广播", "broadcast"),
    "mined": ("上链", "mined"),
    "final": ("终局", "final"),
    "promise": ("受理承诺", "the receipt's promise"),
    "content": ("内容", "content"),
    "status": ("效力", "status"),
    "delivered": ("送达中心系统", "delivered to the central record"),
    "visible": ("查询节点", "query nodes"),
}

STATES: dict[HopState, Pair] = {
    "done": ("已完成", "done"),
    "missing": ("没有", "missing"),
    "differs": ("不符", "differs"),
    "unknown": ("未知", "unknown"),
    "not_applicable": ("不适用", "not applicable"),
}


def say(pair: Pair, language: Language, **facts: str) -> str:
    return pair[language == "en"].format_map(facts)

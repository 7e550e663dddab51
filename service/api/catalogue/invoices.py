"""Problems with invoices: registering, proving, looking up, printing and recovering them."""

from service.api.catalogue.problem import Problem

INVOICES: dict[str, Problem] = {
    # Invoices.
    "invoice_refused": Problem(
        422,
        ("发票不符合规则", "The invoice breaks a rule"),
        ("发票没有登记：见 errors 中的错误。", "The invoice was not registered: see the errors."),
    ),
    "number_taken": Problem(
        409,
        ("发票号码已登记", "The number is taken"),
        ("发票号码 {number} 已经登记，不能再次登记。", "The number {number} is registered already and cannot be registered again."),
    ),
    "not_found": Problem(
        404,
        ("查无此项", "Not found"),
        ("没有这一项，或者它不属于这个密钥。", "There is no such item, or it is not one of this key's."),
    ),
    "not_open": Problem(
        409,
        ("发票状态不允许", "The invoice's status forbids it"),
        ("发票的状态（{status}）不允许这样做。", "The invoice's status ({status}) forbids it."),
    ),
    "not_open/red_letter": Problem(
        409,
        ("发票状态不允许", "The invoice's status forbids it"),
        ("红字发票不能作废。", "A red-letter invoice cannot be voided."),
    ),
    "content_lost": Problem(
        410,
        ("发票内容已丢失", "The invoice's content is lost"),
        (
            "本登记簿中这张发票的内容已丢失；持有证明文件的人可以恢复它。",
            "This registry has lost the invoice's content; whoever holds its proof file can restore it.",
        ),
    ),
    # Proofs.
    "not_yet_known": Problem(
        409,
        ("暂不能确定", "Not yet known"),
        (
            "这个号码有登记尚未最终上链，暂不能确定，请稍后再问。",
            "Something about this number is accepted and not final yet; ask again shortly.",
        ),
    ),
    "not_yet_known/node": Problem(
        409,
        ("暂不能确定", "Not yet known"),
        (
            "本节点只到第 {seq} 批，落后链上 {behind} 批，暂不能确定，请稍后再问。",
            "This node has come to batch {seq}, {behind} behind the chain, and cannot know yet; ask again shortly.",
        ),
    ),
    "node_takes_no_writes": Problem(
        409,
        ("查询节点不受理登记", "A query node takes no writes"),
        ("这是查询节点，只供查询；请向登记服务提交。", "This is a query node: send it to the service that the node follows."),
    ),
    "no_such_copy": Problem(
        404,
        ("没有这份发票", "No such copy"),
        ("这个号码下没有登记过这一份。", "No copy of this number has that commitment."),
    ),
    "no_such_anchor": Problem(
        404, ("没有这个上链批次", "No such anchor"), ("没有这个序号的上链批次。", "There is no anchor of that number.")
    ),
    "anchor_not_kept": Problem(
        404,
        ("该批次的证明已不保留", "The anchor is not kept"),
        ("不再保留第 {seq} 批时的证明；请取最新的。", "Proofs as of anchor {seq} are not kept; ask for the newest."),
    ),
    # Lookups and documents.
    "too_many_guesses": Problem(
        429,
        ("今天试得太多", "Too many wrong tries"),
        ("今天对这个号码的错误尝试太多，请明天再试。", "Too many wrong tries for this number today: try again tomorrow."),
    ),
    "too_many_guesses/facts": Problem(
        429,
        ("今天试得太多", "Too many wrong tries"),
        (
            "今天对这个号码的错误尝试太多，请明天再试；出示二维码或证明文件不受此限。",
            "Too many wrong tries for this number today: try tomorrow, or show its QR code or proof file: these have no limit.",
        ),
    ),
    "buyer_differs": Problem(
        403,
        ("购方不符", "Not the buyer"),
        ("所给的购方与这张发票不符。", "The buyer that was given is not the one of this invoice."),
    ),
    "font_missing": Problem(
        503,
        ("缺少字体", "A font is missing"),
        ("本机没有安装 {font}，无法制作版式文件。", "{font} is not installed on this machine, so no document can be made."),
    ),
    "busy_reading": Problem(
        503,
        ("正忙", "Busy"),
        ("同时核验的文件太多，请稍后再试。", "Too many files are being read at once; try again shortly."),
    ),
    # Recoveries.
    "not_a_proof": Problem(
        422,
        ("不是证明文件", "Not a proof"),
        ("这不是证明文件，也不是带有证明文件的 PDF。", "This is no proof file, and no PDF that carries one."),
    ),
    "copy_proves_nothing": Problem(
        422,
        ("这一份不能证明自己", "The copy proves nothing"),
        (
            "这一份没有通过核对（{check}），没有改动任何记录。",
            "The copy did not pass the check {check}; nothing was changed.",
        ),
    ),
    "record_in_conflict": Problem(
        409,
        ("记录有冲突", "The records conflict"),
        (
            "登记簿中与此相关的记录互相矛盾，需要人工对账，没有改动任何记录。",
            "What the registry holds around this entry contradicts itself: a person has to reconcile it. Nothing was changed.",
        ),
    ),
    "batch_missing": Problem(
        409,
        ("所在批次已丢失", "Its batch is missing"),
        (
            "第 {seq} 批在登记簿中已丢失，须由运维从镜像重建。",
            "Batch {seq} is missing here as a whole: an operator has to rebuild it from a mirror.",
        ),
    ),
    "chain_unread": Problem(
        503,
        ("暂时读不到区块链", "The chain cannot be read"),
        (
            "暂时读不到区块链，无法核对，没有改动任何记录。",
            "The chain cannot be read now: nothing could be checked, and nothing was changed.",
        ),
    ),
}

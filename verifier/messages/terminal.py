"""What the command line says beside a report, in the words of the pages."""

from collections.abc import Mapping

VERDICTS: Mapping[str, tuple[str, str]] = {
    "valid": ("登记有效", "Registered and valid"),
    "partly_reversed": ("部分红冲", "Partly reversed"),
    "replaced": ("已被补打替换", "Replaced by a reprint"),
    "void": ("已作废", "Void"),
    "reversed": ("已红冲", "Reversed"),
    "released": ("登记已撤回", "Registration withdrawn"),
    "forged": ("与存证不符", "Does not match the record"),
    "absent": ("查无此票", "Not registered"),
    "not_current": ("不是现行的一份", "Not the current copy"),
    "registered": ("号码已登记", "Number registered"),
    "pending": ("已受理，待上链", "Accepted, not yet anchored"),
    "stale": ("内容属实，状态待更新", "Genuine; its status needs an update"),
    "undecided": ("暂不能确定", "Cannot be told yet"),
    "malformed": ("无法识别", "Not a proof"),
}

SENTENCES: Mapping[str, tuple[str, str]] = {
    "verdict.valid": (
        "由{seller}于{time}登记，内容与链上存证一致，现行有效。",
        "Registered by {seller} on {time}; what is shown matches the record on chain, and is in force.",
    ),
    "verdict.valid_unnamed": (
        "于{time}登记，内容与链上存证一致，现行有效。",
        "Registered on {time}; what is shown matches the record on chain, and is in force.",
    ),
    "verdict.partly_reversed": (
        "内容与存证一致；其中一部分已被红字发票冲减，请核对余额。",
        "What is shown matches the record; a red-letter invoice took back a part of it: check what remains.",
    ),
    "verdict.partly_reversed_number": (
        "该号码的发票有一部分已被红字发票冲减；内容未出示。",
        "A red-letter invoice took back a part of the invoice with this number; its content was not shown.",
    ),
    "verdict.replaced": (
        "这一份已失效；同一号码的新一份已于{time}补打。",
        "This copy is no longer good: a new one of the same number was issued on {time}.",
    ),
    "verdict.replaced_undated": (
        "这一份已失效；同一号码已有新的一份。",
        "This copy is no longer good: there is a new one of the same number.",
    ),
    "verdict.void": ("本登记簿已于{time}将其作废。", "This registry made it void on {time}."),
    "verdict.void_undated": ("本登记簿已将其作废。", "This registry made it void."),
    "verdict.reversed": ("已被红字发票全额冲销（{time}）。", "A red-letter invoice took back all of it ({time})."),
    "verdict.reversed_undated": ("已被红字发票全额冲销。", "A red-letter invoice took back all of it."),
    "verdict.released": (
        "该号码曾被误登记，现已撤回（{time}）。",
        "The number was registered in error; that was withdrawn ({time}).",
    ),
    "verdict.released_undated": ("该号码曾被误登记，现已撤回。", "The number was registered in error; that was withdrawn."),
    "verdict.forged": (
        "内容或证明与链上存证不一致。请向开票方核实。",
        "Content or proof does not match the record on chain. Ask the issuer about it.",
    ),
    "verdict.absent": ("截至{time}，登记簿中没有这个号码。", "As of {time} the register has no invoice of this number."),
    "verdict.not_current": (
        "该号码已登记，但现行的不是这一份。",
        "The number is registered, and the current copy is not this one.",
    ),
    "verdict.registered": ("内容未出示，无法比对。", "The content was not shown and could not be compared."),
    "verdict.pending": (
        "已签发受理回执，最迟{deadline}上链。",
        "A receipt was signed: it is to be anchored by {deadline}.",
    ),
    "verdict.pending_final": (
        "已上链，尚未最终确定，请稍后再查。",
        "It is on chain, and not final yet: please ask again soon.",
    ),
    "verdict.stale": (
        "截至{time}为{status}；请联网取得最新状态。",
        "As of {time}: {status}. Ask for a newer proof to learn its status now.",
    ),
    "verdict.stale_unknown": (
        "证明文件没有说到现在的状态；请联网取得最新状态。",
        "The proof does not tell the status of today: ask for a newer one.",
    ),
    "verdict.undecided": ("这并不表示发票有问题。", "This does not mean that anything is wrong with the invoice."),
    "verdict.malformed": ("这不是证明文件或本系统的二维码。", "This is no proof file, and no QR code of this system."),
    "next.compare": (
        "请将下列各项与手中的票面逐一核对。",
        "Compare these with the paper in your hand, one by one.",
    ),
    "next.meaning": (
        "本结论只说明本登记簿如此记载，不代表税务平台已开具该发票。",
        "This says what this registry holds, not that the tax platform issued the invoice.",
    ),
    "fact.number": ("发票号码  {value}", "Number       {value}"),
    "fact.issued_on": ("开票日期  {value}", "Issued on    {value}"),
    "fact.seller": ("销售方    {value}", "Seller       {value}"),
    "fact.amount": ("价税合计  {value}", "With tax     {value}"),
    "fact.withheld": ("未出示    {value}", "Not shown    {value}"),
    "fact.as_of": ("截至      {time}（第 {seq} 号存证）", "As of        {time} (anchor {seq})"),
    "cli.description": (
        "核验发票证明文件。无需登记服务，只需信任文件或存证文件。",
        "Checks proof files of invoices. It needs no service: only a trust file or an anchors file.",
    ),
    "cli.exit": (
        "退出码：0 有效；1 不符、作废、红冲等；2 不能确定；3 部分红冲、号码已登记；64 用法错误；65 不是证明文件；70 内部错误。",
        "Exit status: 0 valid; 1 forged, void …; 2 undecided; 3 partly reversed, registered; 64 usage; 65 no proof; 70 crash.",
    ),
    "cli.files": ("证明文件或附有证明文件的 PDF（- 表示标准输入）", "proof files, or PDFs that carry one (- for standard input)"),
    "cli.trust": ("信任文件（可多次给出）", "a trust file (may be given more than once)"),
    "cli.anchors": ("存证文件，不联网核验（可多次给出）", "an anchors file, for a check without a network (more than once)"),
    "cli.rpc": ("区块链节点网址，一个或多个", "one or more endpoints of the chain"),
    "cli.chain_id": ("链的编号", "the chain's id"),
    "cli.contract": ("合约地址", "the contract's address"),
    "cli.question": ("纸上的“号码.指纹”，或二维码中的网址", "NUMBER.FINGERPRINT as on the paper, or the address in its QR code"),
    "cli.mirror": ("可以取得较新证明的网址（可多次给出）", "where newer proofs are to be had (may be given more than once)"),
    "cli.save_anchors": (
        "把读到的存证写入文件，供以后不联网核验；不给证明文件时写入全部存证",
        "write the anchors that were read to a file, for later checks without a network; all of them where no proof file is given",
    ),
    "cli.json": ("每份文件输出一行 JSON 报告", "one report a line and file, as JSON"),
    "cli.lang": ("输出语言", "the language of the output"),
    "cli.error": ("用法错误：{reason}", "usage error: {reason}"),
    "cli.internal": (
        "程序内部错误（{reason}）。没有得出任何结论。",
        "Internal error ({reason}). Nothing was concluded.",
    ),
    "cli.no_source": (
        "请给出信任文件（--trust）、存证文件（--anchors）或节点（--rpc、--chain-id、--contract）",
        "give a trust file (--trust), an anchors file (--anchors) or endpoints (--rpc, --chain-id, --contract)",
    ),
    "cli.two_sources": (
        "--trust、--anchors 和 --rpc 只能选一种（--rpc 可替换信任文件中的节点）",
        "--trust, --anchors and --rpc exclude each other (--rpc may replace the endpoints of a trust file)",
    ),
    "cli.rpc_incomplete": ("--rpc 须与 --chain-id 和 --contract 同用", "--rpc needs --chain-id and --contract"),
    "cli.chain_without_rpc": ("--chain-id 和 --contract 只与 --rpc 同用", "--chain-id and --contract go with --rpc alone"),
    "cli.nothing": (
        "请给出证明文件，或用 --question 和 --mirror 取得",
        "give a proof file, or --question and --mirror to fetch one",
    ),
    "cli.no_mirror": ("没有证明文件时，--question 须与 --mirror 同用", "without a proof file --question needs --mirror"),
    "cli.value": ("{option} 的值“{value}”不可用：{reason}", "{option} cannot be “{value}”: {reason}"),
    "cli.unreadable": ("{path} 无法读取：{reason}", "{path} cannot be read: {reason}"),
    "cli.unusable": ("{path} 不可用：{reason}", "{path} cannot be used: {reason}"),
    "cli.no_endpoint": ("信任文件没有给出节点；请用 --rpc 给出", "the trust file names no endpoint; give one by --rpc"),
    "cli.trust_differs": ("同一合约的信任文件参数不同", "the trust files for one contract differ in their parameters"),
    "cli.several_chains": ("--save-anchors 一次只能用于一个合约", "--save-anchors takes one contract at a time"),
    "cli.unwritable": ("{path} 无法写入：{reason}", "{path} cannot be written: {reason}"),
    "cli.not_saved": ("存证未能写入：{reason}", "The anchors were not saved: {reason}"),
    "cli.saved": ("已写入 {count} 条存证：{path}", "{count} anchors written to {path}"),
    "source.anchors_file": ("存证来源  文件 {value}（未联网）", "Anchors      from the file {value}, without a network"),
    "source.anchors": ("存证来源  所给的存证文件（未联网）", "Anchors      from the anchors file given, without a network"),
    "source.rpc": ("存证来源  节点 {value}，区块 {block}", "Anchors      from {value}, at block {block}"),
    "source.rpc_unread": ("存证来源  节点 {value}（没有读到）", "Anchors      from {value}, which could not be read"),
    "source.rpc_alone": (
        "存证来源  节点 {value}，区块 {block}（只询问了一个节点）",
        "Anchors      from {value}, at block {block} (one endpoint alone was asked)",
    ),
}

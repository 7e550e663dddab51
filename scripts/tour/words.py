"""What the tour says, in Chinese and English."""

from verifier.messages import Language

WORDS: dict[str, tuple[str, str]] = {
    "title": ("证票演示", "Zhengpiao, a demo"),
    "fresh": ("数据在 {folder}，每次都从头开始。", "Its state is in {folder}, and begins anew each time."),
    "chain": (
        "区块链 {url}（Anvil，链号 {chain_id}，每秒一个区块）",
        "A chain at {url} (Anvil, chain {chain_id}, a block a second)",
    ),
    "contract": (
        "合约 {contract}（区块 {block}，代码与仓库中的一致）",
        "The contract at {contract} (block {block}; its code is the committed one)",
    ),
    "service": ("服务 {url}", "The service at {url}"),
    "keys": ("{count} 个 API 密钥，见 {file}", "{count} API keys, in {file}"),
    "logins": ("{url}/sign-in 的账号：{logins}", "People who sign in at {url}/sign-in: {logins}"),
    "payments": ("付款平台（不涉及真钱）{url}", "A payment provider (no money is moved) at {url}"),
    "inbox": ("收件箱（邮件、短信、推送）{url}", "An inbox for e-mail, SMS and webhooks at {url}"),
    "registered": ("登记 {id} {number}  {amount}  {seller}", "Registered {id} {number}  {amount}  {seller}"),
    "finding": ("{code}：{detail}", "{code}: {detail}"),
    "voided": ("作废 {id} {number}", "Voided {id} {number}"),
    "imported": ("导入财政部官方样票 {number}", "Imported the Ministry's official sample {number}"),
    "final": ("全部上链并终局：锚点 {seq}，区块 {block}", "All anchored and final: anchor {seq}, block {block}"),
    "verifying": (
        "用 zhengpiao-verify 验证：它只读证明文件和区块链，不问服务",
        "Verified by zhengpiao-verify, which reads the proof file and the chain, and asks no service",
    ),
    "surroundings": (
        "查询节点 {node}；中心系统（另一个数据库，另一套字段名）{central}",
        "A query node at {node}; a central record (another database, other names) in {central}",
    ),
    "all_agree": (
        "对账：我们的库与链、中心系统与我们的库、节点与链，全部一致",
        "Reconciled: our store with the chain, the central record with our store, the node with the chain: all agree",
    ),
    "insider": (
        "有人改了数据库（副本）：删去 {deleted}，改了 {altered} 的金额。对账指出：",
        "An insider changed (a copy of) the database: {deleted} deleted, the amount of {altered} altered. Reconciliation names:",
    ),
    "central_spoilt": (
        "中心系统出错：{altered} 金额不对，{missing} 丢失。对账指出：",
        "The central record is spoilt: a wrong amount in {altered}, {missing} lost. Reconciliation names:",
    ),
    "node_cut_off": (
        "节点收不到新数据，而 {number} 已上链终局。对账指出：",
        "The node is cut off from the feed while {number} becomes final. Reconciliation names:",
    ),
    "node_back": ("节点恢复，已追上", "The node is back, and has caught up"),
    "all_resolved": (
        "再对一次账：中心系统和节点的差异都已解决（未解决的见 {url}/metrics 和 {url}/audit/runs）",
        "Reconciled once more: what differed in the central record and the node is resolved ({url}/metrics, {url}/audit/runs)",
    ),
    "findings_differ": ("对账应指出 {expected}，却是 {found}", "Reconciliation should name {expected}, and names {found}"),
    "followed": ("登记 {number}，逐个环节询问它在哪里：", "Registered {number}, and asked where it is at each hop:"),
    "diagnosing": (
        "这张发票在哪里丢了？下面的每一种都由诊断说明；损坏的记录由持有的一份恢复",
        "Where did this invoice get lost? Each is explained, and what was spoilt is brought back from a copy",
    ),
    "recovered": ("已用持有的一份恢复 {number}：{restored}", "Restored {number} from the copy that somebody kept: {restored}"),
    "next": ("接下来可以试试（另开一个终端，在项目目录下）：", "What to try next (in another terminal, in the project's folder):"),
    "try_search": ("查找一万元以上的发票", "find invoices of 10,000 and more"),
    "try_timeline": ("S01 的流转记录：受理、封批、上链、终局", "what happened to S01: accepted, sealed, mined, final"),
    "try_own": ("为 S01 生成证明，只公开前三部分", "a proof of S01 that opens three sections"),
    "try_verify": ("在任何机器上验证它", "check it, on any machine"),
    "try_absent": ("查一个没有登记的号码：得到“不存在”的证明", "ask for a number that is not there: a proof of absence"),
    "try_desk": (
        "审计台 {url}/audit：账号 auditor，密码 {password}，验证码由下面这行算出（其他人的见 demo.json）：",
        "The auditor's desk, {url}/audit: sign in as auditor, {password}, with the code that this prints (others: demo.json):",
    ),
    "try_read": (
        "接口说明 {url}/openapi.json，文档 docs/index.md",
        "The API: {url}/openapi.json. Documentation: docs/index.md",
    ),
    "running": ("运行中，按 Ctrl-C 结束。", "Running. Ctrl-C ends it."),
    "stopped": ("已结束，没有留下进程。", "Stopped; no process is left."),
    "failed": ("没有成功：{what}", "It did not work out: {what}"),
    "see_logs": ("各程序的输出在 {folder}。", "What the programs printed is in {folder}."),
    "port_taken": ("端口 {port} 已被占用，请用 --port 换一个。", "Port {port} is taken: choose another one with --port."),
    "folder_taken": (
        "{folder} 中已有一个演示在运行；请先结束它，或用 --var 换一个目录。",
        "A demo is running in {folder} already: end it first, or choose another folder with --var.",
    ),
    "not_registered": ("{id} 的登记结果不对：{said}", "{id} was not registered as it should be: {said}"),
    "row_refused": ("导入被拒绝：{said}", "The import was refused: {said}"),
    "wrong_verdict": ("{name} 应为 {expected}，却是 {found}", "{name} should be {expected}, and is {found}"),
    "option_exit": ("演示完就结束；每一步都成功时状态为 0", "end after the tour; status 0 only if every step held"),
    "option_port": ("服务的端口；0：任一空闲端口（默认 8000）", "port of the service; 0: any free one (default 8000)"),
    "option_var": ("存放数据的目录（默认 var）", "folder for its state (default: var)"),
}


def say(language: Language, key: str, /, **values: object) -> str:
    return WORDS[key][language == "en"].format(**values)

/** One sentence for every code, in Chinese and English. A page that speaks in its own words has the codes. */

/** @type {Record<string, [zh: string, en: string]>} */
export const SENTENCES = {
  "form.anchored": ["证明文件格式正确。", "The proof file is well formed."],
  "form.pending": [
    "证明文件格式正确；该发票已受理，尚未上链。",
    "The proof file is well formed; its invoice is accepted, not yet anchored.",
  ],
  "form.absence": [
    "证明文件格式正确：它证明某个号码未登记。",
    "The proof file is well formed: it shows that a number is not registered.",
  ],
  "form.presence": [
    "证明文件格式正确：它证明某个号码已登记。",
    "The proof file is well formed: it shows that a number is registered.",
  ],
  "form.other_protocol": [
    "证明文件属于另一种协议（{protocol}），本程序不认识。",
    "The file is of another protocol ({protocol}), which this program does not know.",
  ],
  "form.size": ["文件超过 4 MiB。", "The file is larger than 4 MiB."],
  "form.utf8": ["文件不是 UTF-8 文本。", "The file is not UTF-8 text."],
  "form.syntax": ["文件不是 JSON（第 {at} 个字符处）。", "The file is not JSON (at character {at})."],
  "form.depth": ["文件的嵌套层数过多。", "The file is nested too deep."],
  "form.duplicate": ["成员“{name}”出现了两次。", "The member “{name}” stands twice."],
  "form.surrogate": ["文本中有不完整的字符。", "A text holds half a character (a lone surrogate)."],
  "form.integer": ["“{spelling}”不是允许的整数写法。", "“{spelling}” is not an integer as the protocol writes it."],
  "form.protocol": ["缺少协议名称 protocol。", "The name of the protocol is missing."],
  "form.object": ["{pointer} 应为对象。", "{pointer} is not an object."],
  "form.boolean": ["{pointer} 应为 true 或 false。", "{pointer} is neither true nor false."],
  "form.missing": ["{pointer} 缺少成员“{name}”。", "{pointer} has no member “{name}”."],
  "form.unknown": ["{pointer} 含有未知成员“{name}”。", "{pointer} has an unknown member “{name}”."],
  "form.range": ["{pointer} 不是允许范围内的整数。", "{pointer} is not an integer within its range."],
  "form.hex": ["{pointer} 应为 {length} 字节的小写十六进制。", "{pointer} is not {length} bytes in lower-case hex."],
  "form.list": ["{pointer} 应为不超过 {most} 项的列表。", "{pointer} is not a list of at most {most} items."],
  "form.lines": ["{pointer} 应为非空的明细行列表。", "{pointer} is not a list of lines, or an empty one."],
  "form.number": ["{pointer} 不是发票号码。", "{pointer} is not an invoice number."],
  "form.name": ["{pointer} 的取值未知。", "{pointer} is none of the known values."],
  "form.address": ["{pointer} 不是合约地址。", "{pointer} is not a contract address."],
  "form.url": ["{pointer} 不是网址。", "{pointer} is not an http or https address."],
  "form.key_id": ["{pointer} 与其公钥不符。", "{pointer} is not the id of its key."],
  "canonical.character": ["{pointer} 含有不允许的字符。", "{pointer} holds a character that is not allowed."],
  "canonical.normal_form": ["{pointer} 的文本不是 NFC 规范形式。", "The text of {pointer} is not in normal form NFC."],
  "canonical.type": ["{pointer} 只能是文本、真假值、列表或对象。", "{pointer} is neither text, boolean, list nor object."],
  "canonical.depth": ["{pointer} 的嵌套超过 16 层。", "{pointer} is nested more than 16 levels deep."],
  "canonical.key": ["{pointer} 的名称不允许。", "{pointer} has a name that is not allowed."],

  "trust.pass": ["所属的链和合约与您信任的一致。", "Chain and contract are those that you trust."],
  "trust.fail": [
    "文件所属的链（{chain_id}）或合约（{contract}）不是您信任的。",
    "The file's chain ({chain_id}) or contract ({contract}) is not among those that you trust.",
  ],

  "content.pass": ["内容与登记的指纹一致，号码 {number}。", "The content matches the registered fingerprint of number {number}."],
  "content.question": [
    "内容与登记的指纹一致，也与所查的号码 {number} 和指纹一致。",
    "The content matches the registered fingerprint, and the number {number} and fingerprint that were asked about.",
  ],
  "content.number": ["号码 {number} 与所查的一致。", "The number {number} is the one that was asked about."],
  "content.no_question": ["没有指定要核对的号码。", "No number was given to compare with."],
  "content.copy": [
    "内容与登记的指纹不一致：有内容被改动过。",
    "The content does not match the registered fingerprint: something was changed.",
  ],
  "content.key": ["号码 {number} 与登记条目不符。", "The number {number} is not that of the entry."],
  "content.question_number": [
    "文件说的是号码 {number}，不是所查的那个。",
    "The file is about number {number}, not about the one that was asked.",
  ],
  "content.question_commitment": ["内容与所查的那一份不同。", "The content is not that of the copy that was asked about."],

  "entry.pass": [
    "登记条目（{kind}，登记时间 {recorded_at}）与内容相符。",
    "The entry ({kind}, recorded {recorded_at}) agrees with the content.",
  ],
  "entry.withheld": [
    "登记条目为{kind}，登记时间 {recorded_at}；来源栏未出示。",
    "The entry is: {kind}, recorded {recorded_at}; its provenance is withheld.",
  ],
  "entry.kind": ["这个条目（{kind}）不登记任何一份发票。", "This entry ({kind}) registers no copy of an invoice."],
  "entry.reprint_missing": ["条目是补打，而内容没有补打序号。", "The entry is a reprint, and the content does not say so."],
  "entry.not_reprint": ["内容称是补打，而条目不是。", "The content says that it is a reprint, and the entry is none."],
  "entry.original": ["内容中的原发票与条目不符。", "The original that the content names is not that of the entry."],

  "receipt.pass": [
    "受理回执的签名有效，承诺最迟 {deadline} 上链。",
    "The receipt's signature holds; it promised to anchor by {deadline}.",
  ],
  "receipt.fail": ["受理回执的签名无效。", "The receipt's signature does not hold."],
  "receipt.none": ["文件没有受理回执。", "The file has no receipt."],
  "receipt.key_not_given": ["没有给出核对回执所需的公钥（{key_id}）。", "The key of the receipt ({key_id}) was not given."],
  "receipt.no_engine": ["此环境不能核对签名。", "This environment cannot check signatures."],

  "inclusion.pass": [
    "登记条目在第 {seq} 号存证中（第 {position} 条，共 {size} 条），上链时间 {time}。",
    "The entry is in anchor {seq} ({position} of {size}), on chain since {time}.",
  ],
  "inclusion.fail": ["登记条目不在第 {seq} 号存证中。", "The entry is not in anchor {seq}."],
  "inclusion.not_final": ["第 {seq} 号存证尚未最终确定，与文件不符。", "Anchor {seq} is not final yet, and differs from the file."],

  "register.anchored": [
    "第 {seq} 号存证（{time}）的登记簿中，该号码为：{status}。",
    "The register of anchor {seq} ({time}) says of the number: {status}.",
  ],
  "register.presence": [
    "第 {seq} 号存证（{time}）的登记簿中有这个号码。",
    "The register of anchor {seq} ({time}) has this number.",
  ],
  "register.absence": [
    "第 {seq} 号存证（{time}）的登记簿中没有这个号码。",
    "The register of anchor {seq} ({time}) does not have this number.",
  ],
  "register.fail": [
    "所述状态不是第 {seq} 号存证的登记簿所载。",
    "What the file says is not what the register of anchor {seq} holds.",
  ],
  "register.not_final": [
    "第 {seq} 号存证尚未最终确定，其登记簿与文件不符。",
    "Anchor {seq} is not final yet, and its register differs from the file.",
  ],
  "register.state_after_anchor": ["状态来自比存证更晚的条目。", "The state comes from an entry later than its anchor."],
  "register.state_before_entry": ["状态早于本条目。", "The state is older than the entry."],
  "register.valid_elsewhere": ["这一份的有效状态来自另一条目。", "The valid state of this copy was made by another entry."],
  "register.same_position": ["同一条目登记的是另一份。", "The same entry made another copy current."],

  "final.pass": [
    "存证在区块 {block}（{time}）已最终确定，{endpoints} 个节点回答一致。",
    "The anchors are final at block {block} ({time}); {endpoints} endpoints agree.",
  ],
  "final.one_endpoint": [
    "存证在区块 {block}（{time}）已最终确定；只询问了一个节点。",
    "The anchors are final at block {block} ({time}); one endpoint alone was asked.",
  ],
  "final.file": [
    "存证文件（至第 {head} 号）载明存证已最终确定。",
    "The anchors file (up to {head}) says that the anchors are final.",
  ],
  "final.fail": ["存证已上链，尚未最终确定。", "The anchors are on chain, not yet final."],

  "newest.pass": ["登记簿与最新的第 {head} 号存证相同。", "The register is that of the newest anchor, {head}."],
  "newest.grace": ["登记簿刚刚才被更新的存证取代。", "A newer register replaced this one only moments ago."],
  "newest.old": [
    "这是 {time} 的登记簿（第 {seq} 号）；最新的是第 {head} 号，请取得新的证明。",
    "This register is of {time} (anchor {seq}); the newest is {head}: a newer proof is needed.",
  ],
  "newest.before_entry": [
    "登记簿（第 {seq} 号）早于本条目，没有说到它。",
    "The register (anchor {seq}) is older than the entry and says nothing about it.",
  ],
  "newest.not_final": [
    "登记簿（第 {seq} 号）比最终确定的第 {head} 号更新。",
    "The register (anchor {seq}) is newer than the newest final one, {head}.",
  ],
  "newest.unknown": ["未能查明登记簿何时被取代。", "It could not be found out when the register was replaced."],

  "current.pass": ["现行的就是这一份。", "This copy is the current one."],
  "current.fail": ["现行的是另一份。", "Another copy is the current one."],
  "current.before_entry": ["登记簿早于本条目。", "The register is older than the entry."],

  "pending.in_time": ["已受理，待上链，最迟 {deadline}。", "Accepted, to be anchored by {deadline}."],
  "pending.overdue": [
    "承诺的上链时间 {deadline} 已过：请取得新的证明。",
    "It was to be anchored by {deadline}, which is past: ask for a newer proof.",
  ],
  "pending.no_receipt": [
    "没有可核对的受理回执，未上链的文件不能证明任何事。",
    "Without a receipt that can be checked, what is not anchored proves nothing.",
  ],

  "skipped.form": ["没有可核对的证明文件。", "There is no proof file to check."],
  "skipped.trust": ["不是您信任的链和合约，未核对。", "Not of a chain and contract that you trust: not checked."],
  "skipped.number": ["不适用于号码的证明。", "Does not apply to a proof about a number."],
  "skipped.pending": ["尚未上链，不适用。", "Does not apply before it is anchored."],

  "chain.no_endpoint": ["没有给出区块链节点。", "No endpoint of the chain was given."],
  "chain.unreachable": ["节点 {endpoint} 没有回答。", "The endpoint {endpoint} does not answer."],
  "chain.timeout": ["节点 {endpoint} 未及时回答。", "The endpoint {endpoint} did not answer in time."],
  "chain.http": ["节点 {endpoint} 拒绝了请求（{status_code}）。", "The endpoint {endpoint} refused ({status_code})."],
  "chain.rpc_error": ["节点 {endpoint} 报告错误（{code}）。", "The endpoint {endpoint} reports an error ({code})."],
  "chain.bad_answer": ["节点 {endpoint} 的回答无法理解。", "The answer of endpoint {endpoint} makes no sense."],
  "chain.bad_data": ["合约的回答无法理解。", "The contract's answer makes no sense."],
  "chain.empty": ["合约地址没有给出数据。", "The contract's address gave no data."],
  "chain.other_chain": [
    "节点 {endpoint} 属于另一条链（{chain_id}）。",
    "The endpoint {endpoint} is of another chain ({chain_id}).",
  ],
  "chain.no_code": ["地址 {contract} 处没有合约。", "There is no contract at {contract}."],
  "chain.disagree": ["各节点的回答不一致。", "The endpoints disagree."],
  "chain.too_short": ["链上的区块数还不足所要求的确认数。", "The chain has fewer blocks than the confirmations asked for."],
  "chain.lag": ["节点的最终区块 {block} 已是 {age} 秒前的，过旧。", "The final block {block} is {age} seconds old: too old."],
  "chain.heartbeat": [
    "最新的第 {seq} 号存证之后已有 {silence} 秒没有新的存证。",
    "Nothing was anchored for {silence} seconds after {seq}, the newest.",
  ],
  "chain.no_head": ["合约没有给出最新的存证（第 {seq} 号）。", "The contract does not give its newest anchor ({seq})."],
  "chain.no_time": ["第 {seq} 号存证没有时间。", "Anchor {seq} has no time."],
  "chain.unknown_seq": ["链上没有第 {seq} 号存证。", "The chain has no anchor {seq}."],
  "chain.not_in_file": ["存证文件中没有第 {seq} 号存证。", "The anchors file has no anchor {seq}."],
  "chain.files_differ": ["各存证文件对第 {seq} 号存证的记载不同。", "The anchors files differ about anchor {seq}."],
  "chain.head_missing": [
    "存证文件缺少其最新的第 {seq} 号存证，或未标为最终。",
    "The anchors file lacks its own head, {seq}, or does not call it final.",
  ],
  "chain.final_above_head": [
    "存证文件把第 {seq} 号标为最终，却称最新的是第 {head} 号。",
    "The anchors file calls {seq} final and {head} the newest.",
  ],

  "fetched.nothing": ["没有可以取得证明的地方。", "There is no place to get a proof from."],
  "fetched.none": ["{mirror} 没有该号码的证明。", "{mirror} has no proof about this number."],
  "fetched.unreachable": ["向 {mirror} 取证明时没有得到回答。", "There was no answer when {mirror} was asked for a proof."],
  "fetched.timeout": ["{mirror} 未及时回答。", "{mirror} did not answer in time."],
  "fetched.refused": ["{mirror} 拒绝了请求（{status_code}）。", "{mirror} refused ({status_code})."],
  "fetched.not_yet_known": [
    "该号码有已受理、尚未最终上链的登记，请稍后再查。",
    "Something about this number is accepted and not final yet: please ask again soon.",
  ],
};

/** @type {Record<string, [zh: string, en: string]>} */
export const WORDS = {
  valid: ["有效", "valid"],
  void: ["作废", "void"],
  reversed: ["已红冲", "reversed"],
  partly_reversed: ["部分红冲", "partly reversed"],
  released: ["登记已撤回", "registration withdrawn"],
  issue: ["开具", "issue"],
  reprint: ["补打", "reprint"],
  reverse: ["红冲", "reversal"],
  reverse_part: ["部分红冲", "reversal of a part"],
  note: ["备注", "note"],
  release: ["撤回登记", "withdrawal"],
};

/** What a parameter stands for, by its name; any other is shown as it is. */
const SECONDS = new Set(["time"]);
const MILLISECONDS = new Set(["deadline", "recorded_at"]);
const NAMES = new Set(["status", "kind"]);

/**
 * @param {string} lang `zh` or `en`, or what begins with it @param {string} code
 * @param {Record<string, string | number>} [params]
 * @returns {string} times in the reader's time zone
 */
export function sentence(lang, code, params = {}) {
  const column = lang.startsWith("zh") ? 0 : 1;
  return SENTENCES[code][column].replace(/\{(\w+)\}/g, (_, name) => {
    const value = params[name];
    if (SECONDS.has(name)) return when(Number(value) * 1000);
    if (MILLISECONDS.has(name)) return when(Number(value));
    if (NAMES.has(name)) return WORDS[value]?.[column] ?? String(value);
    return name === "pointer" ? String(value || "/") : String(value);
  });
}

/** A UsageError in words. @param {string} lang @param {import("./trust.js").UsageError} error @returns {string} */
export function explain(lang, { subject, code, params }) {
  const column = lang.startsWith("zh") ? 0 : 1;
  return SUBJECTS[subject][column].replace("{why}", sentence(lang, code, params));
}

/** @type {Record<import("./trust.js").UsageError["subject"], [zh: string, en: string]>} */
const SUBJECTS = {
  trust: ["信任文件不可用：{why}", "This trust file cannot be used: {why}"],
  anchors: ["存证文件不可用：{why}", "This anchors file cannot be used: {why}"],
  question: ["所查的号码或指纹不可用：{why}", "The number or fingerprint that was asked about cannot be used: {why}"],
};

/**
 * `2026-11-25 09:46:50`, in the reader's time zone. Not by Intl: making its formatter takes longer than the whole check.
 * @param {number} ms since 1970 UTC
 */
function when(ms) {
  if (ms >= YEAR_10000_MS) return `${(ms / 1000).toFixed(0)} s`; // a file may say so
  const date = new Date(ms);
  const parts = [date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds()];
  const [month, day, hours, minutes, seconds] = parts.map((part) => String(part).padStart(2, "0"));
  return `${date.getFullYear()}-${month}-${day} ${hours}:${minutes}:${seconds}`;
}

const YEAR_10000_MS = 253_402_300_800_000;

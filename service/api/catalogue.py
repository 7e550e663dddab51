"""Every problem that the API can answer with: its status, and what it says in Chinese and English (api.md, "Conventions").

A sentence is looked up by its code and, where a code has several, by `params["case"]`, as in service/messages.py, which has the
findings of content. tests/unit/test_problems.py holds that no code that is raised anywhere lacks its sentences here.
"""

from collections.abc import Mapping
from typing import NamedTuple

from service.messages import FILES, FINDINGS, Language
from service.messages import sentence as sentence_of_finding


class Problem(NamedTuple):
    """What one code means: HTTP status, title and detail, each in Chinese and English."""

    status: int
    title: tuple[str, str]
    detail: tuple[str, str]


PROBLEMS: dict[str, Problem] = {
    # The request itself.
    "malformed_json": Problem(
        400,
        ("请求体不是 JSON", "The body is not JSON"),
        ("请求体不是完整的 JSON（UTF-8）。", "The body is not well-formed JSON in UTF-8."),
    ),
    "malformed_json/twice": Problem(
        400,
        ("请求体不是 JSON", "The body is not JSON"),
        ("JSON 对象中同一个成员出现了两次。", "A member stands twice in an object of the body."),
    ),
    "malformed_body": Problem(
        400,
        ("请求无法读取", "The request cannot be read"),
        ("请求体不完整，无法读取。", "The body of the request is broken and cannot be read."),
    ),
    "bad_request": Problem(
        400, ("请求无法处理", "The request cannot be handled"), ("请求无法处理。", "The request cannot be handled as it is.")
    ),
    "invalid_request": Problem(
        422,
        ("请求内容不对", "The request is not as it should be"),
        ("请求内容不符合要求，见 errors。", "See errors for what is not as it should be."),
    ),
    "body_too_large": Problem(
        413, ("请求体太大", "The body is too large"), ("请求体最大 {limit}。", "The body may have {limit} at most.")
    ),
    "too_many_lines": Problem(
        413,
        ("行数太多", "Too many lines"),
        (
            "一次最多 {limit} 行；这一行及以后的各行都没有登记。",
            "{limit} lines at most; this one and all after it were not registered.",
        ),
    ),
    "media_type_unsupported": Problem(
        415,
        ("不支持这种内容类型", "The media type is not supported"),
        ("请用 Content-Type: {expected} 发送，不要压缩。", "Send it as Content-Type: {expected}, without a Content-Encoding."),
    ),
    "no_such_resource": Problem(404, ("没有这个地址", "No such address"), ("没有这个地址。", "There is nothing at this address.")),
    "method_not_allowed": Problem(
        405, ("不支持这个方法", "The method is not allowed"), ("这个地址不支持该方法。", "This address does not have that method.")
    ),
    "too_many_requests": Problem(
        429,
        ("请求太频繁", "Too many requests"),
        ("请求太频繁，请在 {seconds} 秒后再试。", "Too many requests: try again in {seconds} seconds."),
    ),
    # Who asks.
    "not_authenticated": Problem(
        401,
        ("需要登录或密钥", "Sign in, or send a key"),
        ("请登录，或用 Authorization: Bearer 发送 API 密钥。", "Sign in, or send an API key as Authorization: Bearer."),
    ),
    "key_invalid": Problem(
        401, ("密钥无效", "The key is not valid"), ("API 密钥有误或已吊销。", "The API key is mistyped, unknown or revoked.")
    ),
    "role_not_allowed": Problem(
        403,
        ("无权操作", "Not allowed"),
        ("角色 {role} 不能做这件事；需要：{needed}。", "The role {role} may not do this; it takes: {needed}."),
    ),
    "seller_not_bound": Problem(
        403,
        ("销方不属于这个密钥", "The seller is not bound to this key"),
        ("这个密钥不能为该销方登记发票。", "This key may not register invoices of that seller."),
    ),
    # Idempotency.
    "idempotency_key_invalid": Problem(
        400,
        ("Idempotency-Key 不对", "The Idempotency-Key is not valid"),
        ("Idempotency-Key 应为 1 至 255 个可见的 ASCII 字符。", "An Idempotency-Key is 1 to 255 visible ASCII characters."),
    ),
    "idempotency_mismatch": Problem(
        422,
        ("Idempotency-Key 已用于另一请求", "The Idempotency-Key was used for another request"),
        (
            "这个 Idempotency-Key 已用于内容不同的请求；新的请求请换一个。",
            "This Idempotency-Key was used for a request with another body; a new request takes a new key.",
        ),
    ),
    "idempotency_running": Problem(
        409,
        ("请求仍在处理", "The request is still running"),
        (
            "同一 Idempotency-Key 的请求仍在处理，请稍后再问。",
            "The request with this Idempotency-Key is still running; ask again shortly.",
        ),
    ),
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
    # reprints: cases, review.
    "case_not_found": Problem(404, ("没有这个补打申请", "No such case"), ("没有这个补打申请。", "There is no such reprint case.")),
    "case_token_invalid": Problem(
        401,
        ("请重新验证", "Prove again who you are"),
        (
            "补打申请的凭据有误或已过期，请用申请编号和验证码重新进入。",
            "The token of the case is wrong or has expired: come back with the case number and a one-time code.",
        ),
    ),
    "code_wrong": Problem(
        403,
        ("验证码不对", "The code is wrong"),
        (
            "验证码不对、已过期或已试完五次；请重新获取。",
            "The code is wrong, has expired or was tried five times: have a new one sent.",
        ),
    ),
    "too_many_codes": Problem(
        429,
        ("今天的验证码已发完", "No more codes today"),
        ("这个申请今天已发过五次验证码，请明天再试。", "This case has had five codes today: try again tomorrow."),
    ),
    "case_state": Problem(
        409,
        ("现在不能这样做", "Not now"),
        ("申请目前的状态（{state}）不允许这样做。", "The state that the case is in ({state}) does not allow that."),
    ),
    "case_moved": Problem(
        409,
        ("申请刚有变化", "The case has just changed"),
        ("别人刚刚处理了这个申请，请重新查看。", "Somebody has just dealt with this case: look at it again."),
    ),
    "case_open": Problem(
        409,
        ("已有补打申请", "There is a case already"),
        (
            "这张发票已有一个正在办理的补打申请；请用它的编号和验证码继续，或稍后再试。",
            "A reprint of this invoice is applied for already: go on with that case's number and a code, or try again later.",
        ),
    ),
    "details_wrong": Problem(
        409,
        ("与登记的不一致", "Not what was registered"),
        (
            "所填内容与登记的不一致，请核对票面后再试。",
            "What was given is not what was registered: compare it with the invoice and try again.",
        ),
    ),
    "reprint_not_registered": Problem(
        404,
        ("查无此票", "Not registered"),
        (
            "登记簿中没有这张发票，不能补打；见 diagnosis。",
            "This invoice is not registered here, so it cannot be reprinted; see diagnosis.",
        ),
    ),
    "reprint_not_open": Problem(
        409,
        ("发票状态不允许补打", "Its status forbids a reprint"),
        ("发票的状态（{status}）不允许补打。", "The invoice's status ({status}) forbids a reprint."),
    ),
    "reprint_not_yet": Problem(
        409,
        ("还没有最终上链", "Not final yet"),
        (
            "这张发票有登记尚未最终上链，请稍候再申请。",
            "Something about this invoice is not final on the chain yet: apply a little later.",
        ),
    ),
    "reprint_period_over": Problem(
        409,
        ("已过补打期限", "The reprint period is over"),
        ("开票日期已过 {days} 天，不能补打。", "The invoice was issued more than {days} days ago, so it cannot be reprinted."),
    ),
    "reprint_unproven": Problem(
        409,
        ("所出示的不成立", "What was shown does not hold"),
        (
            "所出示的证明与链上存证不符，或不属于本登记系统，不能据此补打。",
            "What was shown contradicts the chain, or is of another registry: no reprint is given for it.",
        ),
    ),
    "reprint_copy_only": Problem(
        409,
        ("只能补打副本", "Only a copy is given"),
        (
            "红字发票和已部分红冲的发票不能重开，只能补打副本。",
            "A red-letter or partly reversed invoice cannot be reissued, only copied.",
        ),
    ),
    "materials_missing": Problem(
        409,
        ("材料不全", "Materials are missing"),
        ("还缺材料：{types}。", "These materials are missing: {types}."),
    ),
    "reviewer_is_applicant": Problem(
        403,
        ("不能审核自己的申请", "Not one's own case"),
        ("申请人不能审核自己的申请。", "Nobody reviews a case that they have applied for."),
    ),
    "reviewer_took_payment": Problem(
        403,
        ("确认过付款的人不能审核", "Who took the payment does not review"),
        (
            "您确认过这个申请的付款，请由另一位审核员审核。",
            "You confirmed a payment of this case, so another reviewer has to approve it.",
        ),
    ),
    "second_person_needed/reprint": Problem(
        409,
        ("需要另一位审核员", "Another reviewer is needed"),
        ("复审须由另一位审核员进行。", "The second review is for another reviewer, not the one who approved first."),
    ),
    "shown_differs/reprint": Problem(
        409,
        ("内容已有变化", "It is not what you were shown"),
        (
            "申请、材料或发票与您看到的不同，请重新查看后再审核。",
            "The application, the materials or the invoice is not what you were shown: look at it again.",
        ),
    ),
    "fee_undecided": Problem(
        409,
        ("须先决定费用", "Decide on the fee"),
        (
            "证据不能确定由谁承担费用，请初审时决定并说明理由。",
            "The evidence leaves open who pays: decide with the first approval, and say why.",
        ),
    ),
    "fee_decided": Problem(
        409,
        ("费用已定", "The fee is decided"),
        ("费用已经确定（{fee}），不能更改。", "The fee is decided already ({fee}) and does not change."),
    ),
    "replacement_missing": Problem(
        409,
        ("尚缺新发票", "The new invoice is missing"),
        (
            "销方还没有给出重开的发票，不能复审通过。",
            "The original's issuer has not sent the new invoice yet, so the second approval has to wait.",
        ),
    ),
    # What a reprint comes to (service/reprints/completing.py, replacement.py, handover.py).
    "document_not_ready": Problem(
        409,
        ("文件还没有办好", "The document is not ready"),
        (
            "新的一份正在上链确认，确认后即可取得。",
            "The new copy waits for confirmation on chain; it can be had as soon as that is there.",
        ),
    ),
    "document_not_ready/not_completed": Problem(
        409,
        ("文件还没有办好", "The document is not ready"),
        ("申请还没有办完，办完后才有文件。", "The case is not completed yet; there is a document once it is."),
    ),
    "no_document": Problem(
        409,
        ("没有文件", "There is no document"),
        ("这个申请已结束，没有补打，所以没有文件。", "This case ended without a reprint, so there is no document."),
    ),
    "not_to_be_collected": Problem(
        409,
        ("没有要领取的文件", "Nothing to collect"),
        ("这个申请没有等待现场领取的文件。", "This case has no paper that waits to be collected."),
    ),
    "handed_over": Problem(
        409,
        ("已经领取", "It was handed over"),
        ("这个申请的文件已经领取。", "The paper of this case was handed over already."),
    ),
    "pickup_code_wrong": Problem(
        403,
        ("领取码不对", "The pick-up code is wrong"),
        ("领取码不对，请让领取人再看一次申请页面。", "The pick-up code is wrong: have the page of the case looked at once more."),
    ),
    "not_a_reissue": Problem(
        409,
        ("不是重开", "It is no reissue"),
        ("这个申请是补打副本，不需要新发票。", "This case is about a copy: it takes no new invoice."),
    ),
    "replacement_bound": Problem(
        409,
        ("新发票已不能更改", "The new invoice is settled"),
        (
            "审核人员已按这张新发票初审通过，不能再更改；须先退回补正。",
            "A reviewer has approved with this new invoice, so it does not change; the case would have to be returned first.",
        ),
    ),
    "replacement_original": Problem(
        422,
        ("原发票不对", "The original is another one"),
        (
            "provenance.original 应是这个申请的发票 {number}，关系为 reissues。",
            "provenance.original must be the invoice of the case, {number}, with the relation reissues.",
        ),
    ),
    # Keys.
    "key_not_found": Problem(404, ("没有这个密钥", "No such key"), ("没有这个密钥。", "There is no such key.")),
    # People.
    "sign_in_failed": Problem(
        401,
        ("登录失败", "Not signed in"),
        (
            "登录名、密码或验证码不对。验证码只能用一次，每 30 秒更换。",
            "The login, the password or the code is wrong. A code is good once, and changes every 30 seconds.",
        ),
    ),
    "not_signed_in": Problem(
        401,
        ("尚未登录", "Not signed in"),
        ("尚未登录，或登录已过期；请登录。", "Nobody is signed in, or the session has ended: sign in."),
    ),
    "csrf_missing": Problem(
        403,
        ("请求来源不明", "The request is of unknown origin"),
        (
            "请求缺少本次登录的 X-CSRF-Token，或来自其他网站。",
            "The request lacks this session's X-CSRF-Token, or comes from another site.",
        ),
    ),
    "person_needed": Problem(
        403,
        ("需要本人登录", "A person is needed"),
        ("这件事只能由登录的人办理，不能用 API 密钥。", "Only a person who has signed in may do this, and no API key."),
    ),
    "purpose_missing": Problem(
        403,
        ("请先说明查阅目的", "Say what for"),
        (
            "查阅发票前请先说明目的；目的会记入操作记录。",
            "Before you look at invoices, say what for; it is kept in the activity log.",
        ),
    ),
    "release_pending": Problem(
        409,
        ("已有撤回申请", "A release is pending"),
        ("这个号码已有等待第二人确认的撤回申请。", "A release of this number waits for the second operator already."),
    ),
    "no_release_pending": Problem(
        404,
        ("没有待确认的撤回申请", "No release is pending"),
        ("这个号码没有等待确认的撤回申请。", "No release of this number waits for anybody."),
    ),
    "second_person_needed": Problem(
        409,
        ("需要另一位操作员", "Another operator is needed"),
        (
            "撤回须由另一位操作员确认，不能由申请人自己确认。",
            "Another operator has to confirm a release, not the one who asked for it.",
        ),
    ),
    "shown_differs": Problem(
        409,
        ("内容已有变化", "It is not what you were shown"),
        (
            "发票或理由与您看到的不同，请重新查看后再确认。",
            "The invoice or the reason is not what you were shown: look at it again.",
        ),
    ),
    # Desks.
    "too_many_invoices": Problem(
        422,
        ("发票太多", "Too many invoices"),
        ("这段时间的发票超过 {limit} 张，请缩短时间。", "More than {limit} invoices in that time: make it shorter."),
    ),
    "too_many_rows": Problem(
        422,
        ("行数太多", "Too many rows"),
        (
            "XLSX 最多 {limit} 行；请缩小范围，或改用 CSV、NDJSON 或 Parquet。",
            "A sheet has {limit} rows: narrow it down, or take another form.",
        ),
    ),
    "too_many_filters": Problem(
        409,
        ("保存的筛选太多", "Too many filters"),
        ("最多保存 {limit} 个筛选，请先删除几个。", "Up to {limit} filters are kept: forget some first."),
    ),
    "no_such_filter": Problem(404, ("没有这个筛选", "No such filter"), ("没有这个筛选。", "There is no such filter.")),
    "user_not_found": Problem(404, ("没有这个账号", "No such account"), ("没有这个账号。", "There is no such account.")),
    "own_account": Problem(
        409,
        ("不能停用自己", "Not your own account"),
        ("不能停用自己的账号，请另一位操作员停用。", "Nobody disables their own account: another operator has to."),
    ),
    "reauthentication_failed": Problem(
        403,
        ("验证失败", "Not confirmed"),
        ("密码或验证码不对。验证码只能用一次。", "The password or the code is wrong. A code is good once."),
    ),
    "people_not_set_up": Problem(
        503,
        ("尚未启用账号", "Accounts are not set up"),
        (
            "本服务没有设置 ZHENGPIAO_DATA_KEYS，还不能登录，也不能办理补打。",
            "ZHENGPIAO_DATA_KEYS is not set on this service, so nobody can sign in or apply for a reprint yet.",
        ),
    ),
    "login_taken": Problem(409, ("登录名已被使用", "The login is taken"), ("这个登录名已被使用。", "That login is taken.")),
    "link_expired": Problem(
        410,
        ("链接已失效", "The link has expired"),
        ("链接已使用或已过期，请重新申请。", "The link was used or has expired; ask for a new one."),
    ),
    "too_many_tries": Problem(
        429,
        ("尝试太多", "Too many tries"),
        ("失败的尝试太多，请稍后再试。", "Too many tries failed; try again later."),
    ),
    "reauthentication_required": Problem(
        403,
        ("需要再次登录", "Sign in again"),
        ("请再次输入密码和验证码，然后重试。", "Give your password and code again, then repeat what you did."),
    ),
    # Materials of reprints (service/reprints/materials.py).
    "materials_closed": Problem(
        409,
        ("现在不能更改材料", "The papers cannot be changed now"),
        (
            "申请现在不在等待材料的阶段，不能增减材料。",
            "The case does not wait for papers now: none can be added or taken out.",
        ),
    ),
    "materials_full": Problem(
        409,
        ("材料太多", "Too many papers"),
        ("一个申请最多 {limit} 份材料；请先删除一份。", "A case may have {limit} papers: take one out first."),
    ),
    "material_not_found": Problem(
        404,
        ("没有这份材料", "No such paper"),
        ("没有这份材料或这一页；它可能已被删除。", "There is no such paper or page; it may have been deleted."),
    ),
    "material_format": Problem(
        422,
        ("不支持这种文件", "This kind of file is not taken"),
        ("请上传 PDF 文件，或 JPEG、PNG、WebP 格式的照片。", "Send a PDF, or a photo as JPEG, PNG or WebP."),
    ),
    "material_heic": Problem(
        422,
        ("请把照片转成 JPEG", "Convert the photo to JPEG"),
        (
            "这是 iPhone 的 HEIC 照片，这里读不了。请在网页上选取，由网页转成 JPEG；或在手机设置的相机格式里选“兼容性最佳”后重拍。",
            "This is an iPhone's HEIC photo. Choose it on our page, which makes a JPEG of it; or set Formats to Most Compatible.",
        ),
    ),
    "material_encrypted": Problem(
        422,
        ("PDF 有密码", "The PDF has a password"),
        (
            "这个 PDF 需要密码才能打开。请另存为没有密码的 PDF，或拍照上传。",
            "This PDF opens with a password only. Save it without one, or send a photo of it.",
        ),
    ),
    "material_too_many_pages": Problem(
        422,
        ("页数太多", "Too many pages"),
        (
            "一份材料最多 {limit} 页；请分开上传，或只上传需要的几页。",
            "A paper may have {limit} pages: send the pages that are needed.",
        ),
    ),
    "material_unreadable": Problem(
        422,
        ("文件打不开", "The file cannot be opened"),
        (
            "这个文件已损坏，或太复杂，画不出来。请重新导出，或拍照上传。",
            "The file is broken, or takes too much to draw. Export it again, or send a photo of it.",
        ),
    ),
    # Payments of reprints (service/reprints/payments.py).
    "payment_not_due": Problem(
        409,
        ("现在不用付款", "Nothing is to be paid now"),
        ("这个申请现在没有待付的费用。", "The case has no fee that is due now."),
    ),
    "payment_method_unknown": Problem(
        422,
        ("没有这种付款方式", "No such way to pay"),
        ("可用的付款方式：{methods}。", "It can be paid by: {methods}."),
    ),
    "payment_unavailable": Problem(
        503,
        ("付款平台暂不可用", "The payment provider does not answer"),
        (
            "付款平台没有应答，请稍后再试，或改用银行转账。",
            "The payment provider does not answer: try again shortly, or pay by bank.",
        ),
    ),
    "payment_unknown": Problem(
        404,
        ("没有这笔付款", "No such payment"),
        ("这个申请没有这个付款参考号。", "The case has no payment of that reference."),
    ),
    "payment_amount_differs": Problem(
        422,
        ("金额不符", "The amount is not right"),
        ("这笔付款应为 {amount} 元；金额不符，没有入账。", "This payment is of CNY {amount}: another amount is not taken."),
    ),
    "payment_by_reviewer": Problem(
        403,
        ("审核人员不能确认收款", "A reviewer of the case does not confirm its payment"),
        ("您审核了这个申请，收款须由他人确认。", "You have reviewed this case: somebody else has to confirm its payment."),
    ),
    "refund_not_due": Problem(
        409,
        ("没有应退的款", "Nothing is owed back"),
        ("这笔付款不需要退。", "Nothing of this payment is owed back."),
    ),
    "callback_unsigned": Problem(
        403,
        ("回调签名不符", "The call is not signed"),
        ("回调没有有效的签名。", "The call carries no valid signature."),
    ),
    "callback_late": Problem(
        403,
        ("回调时间不符", "The call is of another time"),
        ("回调的时间与现在相差太多。", "The time of the call is too far from now."),
    ),
    "callback_unreadable": Problem(
        422,
        ("回调内容不对", "The call is not as it should be"),
        ("回调的内容不符合约定。", "The call does not say what was agreed on."),
    ),
    # Feedback (service/reprints/feedback.py).
    "feedback_not_found": Problem(
        404,
        ("没有这条反馈", "No such feedback"),
        ("没有这条反馈，或查询码不对。", "There is no such feedback, or its token is another one."),
    ),
    "feedback_closed": Problem(
        409,
        ("反馈已关闭", "The feedback is closed"),
        ("这条反馈已关闭。", "This feedback is closed."),
    ),
    "feedback_moved": Problem(
        409,
        ("反馈刚有变化", "Somebody was faster"),
        ("这条反馈刚有新的内容，请重新查看。", "Something was just added to this feedback: look at it again."),
    ),
    "feedback_full": Problem(
        409,
        ("反馈太长", "Too many messages"),
        ("这条反馈的往来太多，请另写一条。", "Too much was said in this feedback already: begin another one."),
    ),
    # Deliveries (service/deliveries/, service/reprints/preferences.py).
    "webhook_not_found": Problem(
        404,
        ("没有这个推送", "There is no such webhook"),
        ("没有这个推送，或者它不是您的。", "There is no such webhook, or it is somebody else's."),
    ),
    "webhook_disabled": Problem(
        409,
        ("推送已停用", "The webhook is disabled"),
        ("这个推送已停用，请先重新启用。", "The webhook is disabled: enable it first."),
    ),
    "too_many_webhooks": Problem(
        409,
        ("推送太多", "Too many webhooks"),
        ("最多可以有 {limit} 个推送，请先删去一个。", "There may be {limit} webhooks at most: remove one first."),
    ),
    "delivery_not_found": Problem(
        404, ("没有这次投递", "There is no such delivery"), ("没有这次投递。", "There is no such delivery.")
    ),
    "delivery_not_dead": Problem(
        409,
        ("不需要重发", "It need not be sent again"),
        ("只有已放弃的投递才能重发，它现在是 {state}。", "Only what was given up can be sent again; this one is {state}."),
    ),
    "delivery_forgotten": Problem(
        409,
        ("内容已删除", "Its text is not kept any more"),
        ("内容和收件人已按期删除，不能重发。", "Its text and recipient were deleted in due time, so it cannot be sent again."),
    ),
    "no_contact_yet": Problem(
        409,
        ("还没有联系方式", "There is no contact yet"),
        ("请先填写申请，给出联系方式。", "Apply first, and give a contact."),
    ),
    "unsubscribe_unknown": Problem(
        404,
        ("退订链接无效", "The link is not valid"),
        ("退订链接不完整，或者已经失效。", "The link to unsubscribe is broken, or not valid any more."),
    ),
    # The service.
    "backlog_full": Problem(
        503,
        ("登记积压", "The backlog is full"),
        (
            "等待上链的登记太多，暂不接收新的登记，请稍后再试。",
            "Too much is waiting to be anchored; nothing new is accepted for the moment.",
        ),
    ),
    "chain_in_doubt": Problem(
        503,
        ("区块链状态存疑", "The chain is in doubt"),
        (
            "区块链的状态与登记簿的记录不符，暂不作任何证明或承诺。",
            "The chain does not show what was final; nothing is proven or promised for now.",
        ),
    ),
    "worker_never_seen": Problem(
        503,
        ("上链程序尚未运行", "Anchoring has not begun"),
        ("上链程序还没有运行过，暂不接收登记。", "The anchoring worker has never run; nothing is accepted before that."),
    ),
    "database_unavailable": Problem(
        503,
        ("数据库暂不可用", "The database is unavailable"),
        ("数据库暂不可用，请稍后再试。", "The database is unavailable; try again shortly."),
    ),
    "busy": Problem(
        503,
        ("正忙", "Busy"),
        ("同一号码的登记太集中，请稍后再试。", "Too many requests want the same numbers at once; try again shortly."),
    ),
    "not_proven": Problem(
        500,
        ("记录与上链内容不符", "The records are not what was anchored"),
        (
            "登记簿的记录与已上链的内容不符，没有给出证明；已记录此事（{request_id}）。",
            "The records are not what was anchored, so no proof is given; this was recorded ({request_id}).",
        ),
    ),
    "internal_error": Problem(
        500,
        ("内部错误", "Internal error"),
        ("服务出错，已记录（{request_id}）。", "Something went wrong here; it was recorded ({request_id})."),
    ),
}

ERRORS: dict[str, tuple[str, str]] = {
    "member_missing": ("缺少成员 {place}。", "The member {place} is missing."),
    "member_unknown": ("没有成员 {place}。", "There is no member {place}."),
    "member_invalid": ("{place} 的值不对。", "The value of {place} is not allowed."),
    "member_invalid/object": ("{place}应是对象。", "{place} must be an object."),
    "member_invalid/text": ("{place} 应是文本。", "{place} must be text."),
    "member_invalid/list": ("{place} 应是列表。", "{place} must be a list."),
    "member_invalid/integer": ("{place} 应是整数。", "{place} must be an integer."),
    "member_invalid/boolean": ("{place} 应是 true 或 false。", "{place} must be true or false."),
    "member_invalid/choice": ("{place} 只能是 {allowed}。", "{place} must be {allowed}."),
    "member_invalid/length": ("{place} 太长或太短。", "{place} is too long or too short."),
    "member_invalid/range": ("{place} 超出范围。", "{place} is out of range."),
    "member_invalid/pattern": ("{place} 的写法不对。", "{place} is not written as it should be."),
    "parameter_missing": ("缺少参数 {name}。", "The parameter {name} is missing."),
    "parameter_unknown": ("没有参数 {name}。", "There is no parameter {name}."),
    "parameter_invalid": ("参数 {name} 的值不对。", "The value of the parameter {name} is not allowed."),
    "cursor_range": ("{place} 超出已有的范围。", "{place} is beyond what there is."),
    "login_form": ("登录名的写法不对。", "The login is not written as it should be."),
    "sellers_of_issuer_staff": (
        "开票员和审批员须绑定销方税号，其他人不绑定。",
        "Clerks and approvers act for sellers, and nobody else does.",
    ),
    "code_wrong": ("验证码不对。", "The code is not right."),
    "password_length": ("密码至少 {min} 个字符。", "A password has {min} characters at least."),
    "password_weak": ("密码太常见，请换一个。", "The password is too common; choose another."),
    "member_invalid/date": ("{place} 不是日期，如 2026-09-01。", "{place} is no date, such as 2026-09-01."),
    "member_invalid/amount": ("{place} 不是金额，如 27232.82。", "{place} is no amount, such as 27232.82."),
    "webhook_url": (
        "推送地址须是 https、443 端口的公网地址，不带用户名和 #。",
        "A webhook leads to a public address by https on port 443, without a user or a fragment.",
    ),
    "member_invalid/email": ("{place} 不是电子邮箱地址。", "{place} is no e-mail address."),
    "member_invalid/sms": ("{place} 不是 11 位手机号码。", "{place} is no mobile number of 11 digits."),
    "member_invalid/number": ("{place} 不是发票号码。", "{place} is no invoice number."),
    "one_amount": (
        "amount_with_tax 和 amount 须给出一个，且只给一个。",
        "Give one of amount_with_tax and amount, and not both.",
    ),
    "buyer_missing": ("须给出 buyer_tax_id 或 buyer_name。", "Give buyer_tax_id or buyer_name."),
    "key_bound": (
        "issuer 和 recipient 的密钥须绑定税号，其他角色不绑定。",
        "A key of an issuer or recipient is bound to tax ids, and no other key is.",
    ),
}
"""What can be wrong with a member of a body, or with a parameter."""

STATUS_WORDS: dict[str, tuple[str, str]] = {
    "valid": ("有效", "valid"),
    "void": ("作废", "void"),
    "reversed": ("红冲", "reversed"),
    "partly_reversed": ("部分红冲", "partly reversed"),
    "released": ("已释放", "released"),
    "awaiting_approval": ("待审批", "awaiting approval"),
}

RELAXED: dict[str, tuple[str, str]] = {
    "env_dev": ("这是开发或演示环境。", "This is an environment for development or demonstration."),
    "one_endpoint": ("只通过一个节点读取区块链。", "The chain is read through one endpoint alone."),
    "public_url_http": ("公开地址没有用 https。", "The public URL is not https."),
    "confirmations": ("以区块确认数代替区块链自己的最终性。", "A number of confirmations stands for the chain's own finality."),
    "anonymous_unlimited": ("匿名请求没有频率限制。", "Requests without a key are not limited."),
    "webhooks_anywhere": ("推送可以发往任何地址，包括内网。", "Webhooks may lead anywhere, to private addresses too."),
    "sqlite": ("数据库是单机的 SQLite。", "The database is SQLite, on one machine."),
}
"""What /status says of each control that is less strict than it can be."""

_OF_CONTENT = frozenset(key.partition("/")[0] for key in FINDINGS)
_BAD_FILE = ("文件无法导入", "The file cannot be imported")


def find(code: str, params: Mapping[str, str] | None = None) -> Problem:
    """The problem of a code. One that is not in any catalogue is a defect: KeyError."""
    case = (params or {}).get("case") or (params or {}).get("status")
    found = PROBLEMS.get(f"{code}/{case}") or PROBLEMS.get(code)
    return found if found is not None else Problem(422, _BAD_FILE, FILES[code])


def sentence(text: tuple[str, str], params: Mapping[str, str], language: Language) -> str:
    """One of two sentences, filled; a status is said in words."""
    english = language == "en"
    words = {name: STATUS_WORDS[value][english] for name, value in params.items() if name == "status" and value in STATUS_WORDS}
    return text[english].format_map({**params, **words})


def detail_of_error(code: str, params: Mapping[str, str], language: Language, pointer: str) -> str:
    """The sentence of one of `errors`: about content as messages.py has it, about the request by ERRORS or PROBLEMS."""
    if code in _OF_CONTENT:
        return sentence_of_finding(code, params, language, pointer)
    case = params.get("case")
    pair = ERRORS.get(f"{code}/{case}") or ERRORS.get(code) or PROBLEMS[code].detail
    return sentence(pair, {"place": member(pointer, language), **params}, language)


def member(pointer: str, language: Language) -> str:
    """What a pointer into a body leads to: a member by its name, since whoever reads this wrote it."""
    if not pointer:
        return ("请求体", "the body")[language == "en"]
    return pointer[1:] if pointer.count("/") == 1 else pointer

"""What applicants are told, in Chinese and English: short, with what is owed by whom, and never more of a case than its numbers.

An e-mail has a subject, what happened, and the next step; the deadline, the reason and the link are added by notices.py. An SMS is
a template that the provider has under its name, with parameters and no free text: docs/notices.md lists them.
"""

from typing import NamedTuple

from service.messages import Language


class Text(NamedTuple):
    """`sms` is None where nothing is sent by SMS. In all of them `{case}`, `{number}` and others are filled in."""

    subject: str
    said: str
    next: str
    sms: str | None


TEXTS: dict[str, dict[Language, Text]] = {
    "code": {
        "zh": Text(
            "验证码 {code}",
            "补打申请 {case} 的验证码是 {code}，{minutes} 分钟内有效。",
            "请不要把它告诉任何人。如果不是您本人操作，请忽略这封邮件。",
            "验证码 {code}，用于补打申请 {case}，{minutes} 分钟内有效，请勿告诉他人。",
        ),
        "en": Text(
            "Code {code}",
            "The code for reprint case {case} is {code}. It is good for {minutes} minutes.",
            "Tell it to nobody. If you did not ask for it, ignore this message.",
            "Code {code} for reprint case {case}, good for {minutes} minutes. Tell it to nobody.",
        ),
    },
    "confirm_contact": {
        "zh": Text(
            "补打申请 {case}：请提交材料",
            "发票 {number} 的补打申请已建立，联系方式已确认。",
            "下一步由您完成：上传材料。",
            "补打申请 {case} 已建立，请在 {until} 前上传材料：{link}",
        ),
        "en": Text(
            "Reprint case {case}: hand in your materials",
            "The case about invoice {number} is open, and your contact is confirmed.",
            "The next step is yours: upload the materials.",
            "Reprint case {case} is open. Upload the materials by {until}: {link}",
        ),
    },
    "begin_review": {
        "zh": Text(
            "补打申请 {case}：开始审核",
            "发票 {number} 的补打材料已收到。",
            "下一步由审核人员完成，您不用做什么。",
            "补打申请 {case} 的材料已收到，开始审核。进度：{link}",
        ),
        "en": Text(
            "Reprint case {case}: review has begun",
            "The materials for invoice {number} have arrived.",
            "The next step is the reviewers'. You need do nothing.",
            "Reprint case {case}: your materials have arrived, review has begun. {link}",
        ),
    },
    "charge": {
        "zh": Text(
            "补打申请 {case}：请缴费 ¥{amount}",
            "发票 {number} 的补打材料已收到。本次补打需缴费 ¥{amount}，依据见页面。",
            "下一步由您完成：缴费。",
            "补打申请 {case} 需缴费 {amount} 元，请在 {until} 前办理：{link}",
        ),
        "en": Text(
            "Reprint case {case}: please pay CNY {amount}",
            "The materials for invoice {number} have arrived. This reprint costs CNY {amount}; the page shows why.",
            "The next step is yours: the payment.",
            "Reprint case {case} costs CNY {amount}. Please pay by {until}: {link}",
        ),
    },
    "charge_after_review": {
        "zh": Text(
            "补打申请 {case}：请缴费 ¥{amount}",
            "发票 {number} 的补打初审已通过。审核人员认定本次补打需缴费 ¥{amount}。",
            "下一步由您完成：缴费。",
            "补打申请 {case} 初审通过，需缴费 {amount} 元，请在 {until} 前办理：{link}",
        ),
        "en": Text(
            "Reprint case {case}: please pay CNY {amount}",
            "The first reviewer approved the reprint of invoice {number}, and found that it costs CNY {amount}.",
            "The next step is yours: the payment.",
            "Reprint case {case} passed its first review and costs CNY {amount}. Please pay by {until}: {link}",
        ),
    },
    "payment_due": {
        "zh": Text(
            "补打申请 {case}：付款方式",
            "发票 {number} 的补打费 ¥{amount} 等待付款。",
            "下一步由您完成：付款。",
            None,
        ),
        "en": Text(
            "Reprint case {case}: how to pay",
            "CNY {amount} for the reprint of invoice {number} is to be paid.",
            "The next step is yours: the payment.",
            None,
        ),
    },
    "pay": {
        "zh": Text(
            "补打申请 {case}：已收到缴费",
            "发票 {number} 的补打费 ¥{amount} 已收到。",
            "下一步由审核人员完成，您不用做什么。",
            "补打申请 {case} 的费用 {amount} 元已收到，继续审核。进度：{link}",
        ),
        "en": Text(
            "Reprint case {case}: payment received",
            "CNY {amount} for the reprint of invoice {number} has arrived.",
            "The next step is the reviewers'. You need do nothing.",
            "Reprint case {case}: your payment of CNY {amount} has arrived, review goes on. {link}",
        ),
    },
    "approve_first": {
        "zh": Text(
            "补打申请 {case}：初审通过",
            "发票 {number} 的补打申请已通过第一位审核人员。",
            "下一步由第二位审核人员完成，您不用做什么。",
            "补打申请 {case} 初审通过，等待复审。进度：{link}",
        ),
        "en": Text(
            "Reprint case {case}: first review passed",
            "The first reviewer approved the reprint of invoice {number}.",
            "The next step is the second reviewer's. You need do nothing.",
            "Reprint case {case} passed its first review and waits for the second. {link}",
        ),
    },
    "approve_second": {
        "zh": Text(
            "补打申请 {case}：审核通过",
            "发票 {number} 的补打申请已审核通过。",
            "下一步由系统完成：登记新的一份，通常只要几分钟。",
            "补打申请 {case} 审核通过，正在登记新的一份。进度：{link}",
        ),
        "en": Text(
            "Reprint case {case}: approved",
            "The reprint of invoice {number} is approved.",
            "The next step is ours: the new copy is registered, which takes some minutes.",
            "Reprint case {case} is approved; the new copy is being registered. {link}",
        ),
    },
    "complete": {
        "zh": Text(
            "补打申请 {case}：新的一份已登记",
            "发票 {number} 新的一份已登记，原来的一份自此失效。",
            "上链确认后就能取得，届时再通知您。",
            "补打申请 {case} 新的一份已登记，上链确认后即可取得。进度：{link}",
        ),
        "en": Text(
            "Reprint case {case}: the new copy is registered",
            "The new copy of invoice {number} is registered; the one before it counts no longer.",
            "You can have it as soon as it is confirmed on chain, and will be told so.",
            "Reprint case {case}: the new copy is registered and waits for confirmation on chain. {link}",
        ),
    },
    "document_ready": {
        "zh": Text(
            "补打申请 {case}：可以领取了",
            "发票 {number} 新的一份已上链存证。",
            "请在页面上下载；选择现场领取的，请凭页面上的领取码领取。",
            "补打申请 {case} 已办好，请在页面下载或查看领取码：{link}",
        ),
        "en": Text(
            "Reprint case {case}: your document is ready",
            "The new copy of invoice {number} is anchored on chain.",
            "Download it on the page; to collect it on paper, show the pick-up code that is there.",
            "Reprint case {case} is done. Download it, or see your pick-up code: {link}",
        ),
    },
    "return": {
        "zh": Text(
            "补打申请 {case}：请补正材料",
            "发票 {number} 的补打申请需要补正。",
            "下一步由您完成：补正后重新提交。",
            "补打申请 {case} 需要补正，请在 {until} 前重新提交，说明见：{link}",
        ),
        "en": Text(
            "Reprint case {case}: please correct your materials",
            "The reprint of invoice {number} needs a correction.",
            "The next step is yours: correct it and hand it in again.",
            "Reprint case {case} needs a correction by {until}. See why: {link}",
        ),
    },
    "reject": {
        "zh": Text(
            "补打申请 {case}：未通过",
            "发票 {number} 的补打申请未通过。",
            "如已缴费，会退还给您。如有疑问，请在页面上反馈。",
            "补打申请 {case} 未通过，说明见：{link}",
        ),
        "en": Text(
            "Reprint case {case}: rejected",
            "The reprint of invoice {number} was rejected.",
            "Anything you paid is refunded. If you have a question, send us feedback on the page.",
            "Reprint case {case} was rejected. See why: {link}",
        ),
    },
    "give_up": {
        "zh": Text(
            "补打申请 {case}：已终止",
            "发票 {number} 在审核期间已作废或红冲，不能再补打。",
            "如已缴费，会退还给您。",
            "补打申请 {case} 已终止：发票已作废或红冲。详情：{link}",
        ),
        "en": Text(
            "Reprint case {case}: ended",
            "Invoice {number} was voided or reversed during the review, and cannot be reprinted any more.",
            "Anything you paid is refunded.",
            "Reprint case {case} has ended: the invoice was voided or reversed. {link}",
        ),
    },
    "cancel": {
        "zh": Text(
            "补打申请 {case}：已撤销",
            "发票 {number} 的补打申请已按您的要求撤销。",
            "如已缴费，会退还给您。需要时可以重新申请。",
            "补打申请 {case} 已撤销。需要时可重新申请：{link}",
        ),
        "en": Text(
            "Reprint case {case}: cancelled",
            "The reprint of invoice {number} was cancelled as you asked.",
            "Anything you paid is refunded. You may apply again at any time.",
            "Reprint case {case} is cancelled. You may apply again: {link}",
        ),
    },
    "expire": {
        "zh": Text(
            "补打申请 {case}：已过期",
            "发票 {number} 的补打申请没有按时办理，已过期。",
            "需要时可以重新申请。",
            "补打申请 {case} 已过期。需要时可重新申请：{link}",
        ),
        "en": Text(
            "Reprint case {case}: expired",
            "The next step for the reprint of invoice {number} was not taken in time, and the case has expired.",
            "You may apply again at any time.",
            "Reprint case {case} has expired. You may apply again: {link}",
        ),
    },
    "reminder": {
        "zh": Text(
            "补打申请 {case}：快到期了",
            "发票 {number} 的补打申请在等您。",
            "下一步由您完成：{owed}。",
            "补打申请 {case} 将于 {until} 到期，请尽快{owed}：{link}",
        ),
        "en": Text(
            "Reprint case {case}: time is running out",
            "The reprint of invoice {number} waits for you.",
            "The next step is yours: {owed}.",
            "Reprint case {case} ends on {until}. Please {owed}: {link}",
        ),
    },
    "refunded": {
        "zh": Text(
            "补打申请 {case}：已退款",
            "发票 {number} 的补打费 ¥{amount} 已退还。",
            "到账时间以付款机构为准。",
            "补打申请 {case} 的费用 {amount} 元已退还。详情：{link}",
        ),
        "en": Text(
            "Reprint case {case}: refunded",
            "CNY {amount} for the reprint of invoice {number} was refunded.",
            "When it arrives depends on your bank.",
            "Reprint case {case}: CNY {amount} was refunded. {link}",
        ),
    },
    "answered": {
        "zh": Text(
            "反馈 {case}：已有答复",
            "您的反馈已有答复。",
            "请在页面上查看。",
            "您的反馈 {case} 已有答复：{link}",
        ),
        "en": Text(
            "Feedback {case}: there is an answer",
            "Your feedback has an answer.",
            "See it on the page.",
            "Your feedback {case} has an answer: {link}",
        ),
    },
}
TEXTS["pay_after_review"] = TEXTS["pay"]

OWED: dict[str, dict[Language, str]] = {
    "materials_pending": {"zh": "上传材料", "en": "upload the materials"},
    "fee_due": {"zh": "缴费", "en": "pay"},
}
"""What a reminder asks of the applicant, by state."""

COMMON: dict[Language, dict[str, str]] = {
    "zh": {
        "applicant_until": "请在 {until}（北京时间）前完成，过期后申请自动结束。",
        "reviewer_until": "我们会在 {until}（北京时间）前答复。",
        "reason": "说明：{reason}",
        "reference": "付款时请注明：{reference}",
        "new_number": "新的发票号码：{new_number}",
        "link": "查看进度：{link}",
        "button": "查看进度",
        "unsubscribe": "不想再收到这些通知：{unsubscribe}",
        "unsubscribe_button": "退订通知",
        "footer": "这是自动发送的邮件，请不要回复。验证码不受退订影响。",
    },
    "en": {
        "applicant_until": "Please do it by {until} (Beijing time); after that the case ends by itself.",
        "reviewer_until": "You will hear from us by {until} (Beijing time).",
        "reason": "Why: {reason}",
        "reference": "Name this reference when you pay: {reference}",
        "new_number": "New invoice number: {new_number}",
        "link": "See how it stands: {link}",
        "button": "See how it stands",
        "unsubscribe": "To receive no more of these notices: {unsubscribe}",
        "unsubscribe_button": "Unsubscribe",
        "footer": "This message was sent automatically; please do not reply. Codes come even if you unsubscribe.",
    },
}

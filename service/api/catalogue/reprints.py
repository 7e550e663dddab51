"""Problems with reprint cases, and with what is told of them."""

from service.api.catalogue.problem import Problem

REPRINTS: dict[str, Problem] = {
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
}

"""Every sentence for what was found in an invoice or in a file, in Chinese and English: api.md's `detail`.

A sentence is looked up by its code and, where a code has several, by `params["case"]`; `{place}` is the field that the pointer
leads to, in words. tests/unit/test_messages.py holds that no rule can say what has no sentence here.
"""

from collections.abc import Mapping
from typing import Literal

from service.errors import Finding

Language = Literal["zh", "en"]

_SECTIONS = {
    "header": ("票头", "header"),
    "seller": ("销方", "seller"),
    "totals": ("合计", "totals"),
    "provenance": ("出具信息", "provenance"),
    "buyer": ("购方", "buyer"),
    "lines": ("明细", "lines"),
    "payment": ("收付款", "payment"),
    "notes": ("备注", "notes"),
}
_BEFORE_FIELDS = {"seller": ("销方", "seller's "), "totals": ("合计", "total "), "buyer": ("购方", "buyer's ")}

_FIELDS = {
    "schema": ("格式标识", "schema"),
    "kind": ("发票种类", "kind"),
    "number": ("发票号码", "number"),
    "issued_on": ("开票日期", "date of issue"),
    "issued_at": ("开票时间", "time of issue"),
    "region": ("地区代码", "region"),
    "check_code": ("校验码", "check code"),
    "machine_number": ("机器编号", "machine number"),
    "name": ("名称", "name"),
    "tax_id": ("税号", "tax id"),
    "address": ("地址", "address"),
    "phone": ("电话", "phone"),
    "bank": ("开户行", "bank"),
    "account": ("账号", "account"),
    "currency": ("币种", "currency"),
    "amount": ("金额", "amount"),
    "tax": ("税额", "tax"),
    "amount_with_tax": ("含税金额", "amount with tax"),
    "amount_in_capitals": ("大写金额", "amount in capitals"),
    "drawer": ("开票人", "drawer"),
    "reviewer": ("复核人", "reviewer"),
    "original": ("原发票", "original"),
    "relation": ("与本票的关系", "relation"),
    "confirmation": ("确认单编号", "confirmation"),
    "reprint": ("补打", "reprint"),
    "ordinal": ("次数", "ordinal"),
    "nature": ("行性质", "nature"),
    "item": ("项目名称", "item"),
    "classification_code": ("税收分类编码", "classification code"),
    "specification": ("规格型号", "specification"),
    "unit": ("单位", "unit"),
    "quantity": ("数量", "quantity"),
    "unit_price": ("单价", "unit price"),
    "rate": ("税率", "rate"),
    "rate_label": ("税率标示", "rate label"),
    "payee": ("收款人", "payee"),
    "method": ("付款方式", "method of payment"),
    "references": ("付款凭证号", "payment references"),
    "remark": ("备注", "remark"),
    "special": ("特定业务信息", "special"),
    "extra": ("附加信息", "extra"),
}

_PLACES = {
    "/totals/currency": ("币种", "currency"),
    "/totals/amount_with_tax": ("价税合计", "total amount with tax"),
    "/totals/amount_in_capitals": ("大写金额", "amount in capitals"),
    "/provenance/original/number": ("原发票号码", "original's number"),
}
"""Where section and field, put together, would not be what people say."""

FINDINGS: dict[str, tuple[str, str]] = {
    # Form: the field table and protocol.md section 1.
    "field_missing": ("缺少{place}。", "The {place} is missing."),
    "field_missing/section": (
        "缺少{place}部分：发票须有全部八个部分。",
        "The section {place} is missing: an invoice has all eight.",
    ),
    "field_missing/lines": ("发票没有明细行。", "The invoice has no lines."),
    "field_unknown": ("{place}不在字段表中。", "The schema does not know the field {place}."),
    "field_unknown/moved": (
        "{place}不在字段表中，已移入 notes.extra。",
        "The schema does not know the field {place}; it was moved to notes.extra.",
    ),
    "field_unknown/section": (
        "{place}不是发票的部分：发票只有八个部分。",
        "{place} is no section: an invoice has exactly eight.",
    ),
    "field_unknown/kind": ("这种发票没有{place}。", "An invoice of this kind has no {place}."),
    "field_unknown/reprint": (
        "补打由登记簿记录，登记时不能带有。",
        "A reprint is recorded by the registry; an invoice cannot be registered with one.",
    ),
    "field_unknown/reprint_moved": (
        "补打由登记簿记录，所带内容已移入 notes.extra。",
        "A reprint is recorded by the registry; what was given was moved to notes.extra.",
    ),
    "kind_unknown": ("没有这种发票种类。", "There is no such kind of invoice."),
    "text_not_allowed/sections": ("发票应是由八个部分组成的对象。", "An invoice is an object of eight sections."),
    "text_not_allowed/text": ("{place}应是文本（金额也写成文本）。", "The {place} must be text (amounts too)."),
    "text_not_allowed/texts": ("{place}应是文本列表。", "The {place} must be a list of texts."),
    "text_not_allowed/named_texts": ("{place}应是名称与文本的对象。", "The {place} must be an object of named texts."),
    "text_not_allowed/object": ("{place}应是对象。", "The {place} must be an object."),
    "text_not_allowed/list": ("{place}应是列表。", "The {place} must be a list."),
    "text_not_allowed/schema": ("格式标识应为 zhengpiao/invoice/1。", "The schema must be zhengpiao/invoice/1."),
    "text_not_allowed/date": ("{place}应写作 2026-09-01。", "The {place} must be a date such as 2026-09-01."),
    "text_not_allowed/time": (
        "{place}应写作 2026-09-01T10:11:12+08:00。",
        "The {place} must be a time such as 2026-09-01T10:11:12+08:00.",
    ),
    "text_not_allowed/choice": ("{place}只能是：{allowed}。", "The {place} must be one of: {allowed}."),
    "text_not_allowed/currency": ("币种应为三个大写字母，如 CNY。", "The currency must be three capital letters, such as CNY."),
    "text_not_allowed/classification_code": ("{place}应为 19 位数字。", "The {place} must be 19 digits."),
    "text_not_allowed/cleaned": (
        "{place}中有不可见或不规范的字符，导入时已清除。",
        "The {place} held characters that are invisible or not in normal form; the import removed them.",
    ),
    "text_not_allowed/type": (
        "{place}只能是文本、真假值、列表或对象。",
        "The {place} may hold text, true, false, lists and objects only.",
    ),
    "text_not_allowed/depth": ("{place}嵌套超过 16 层。", "The {place} is more than 16 levels deep."),
    "text_not_allowed/key": (
        "字段名只能用 A-Z a-z 0-9 _ . -，最长 64 个字符。",
        "A field's name is 1 to 64 characters of A-Z a-z 0-9 _ . -",
    ),
    "text_not_allowed/character": (
        "{place}含有不允许的字符（不可见字符或控制字符）。",
        "The {place} holds an invisible or control character.",
    ),
    "text_not_allowed/normal_form": ("{place}不是 Unicode 规范形式 C。", "The {place} is not in Unicode normal form C."),
    "text_not_allowed/surrogate": ("{place}含有不完整的字符。", "The {place} holds half of a character."),
    "text_not_allowed/unassigned": (
        "{place}含有 Unicode 14 未定义的字符。",
        "The {place} holds a character that Unicode 14 does not assign.",
    ),
    "text_not_allowed/size": ("八个部分合计超过 2 MiB。", "The eight sections are larger than 2 MiB together."),
    # Imports.
    "amount_scale": ("{place}不是两位小数。", "The {place} does not have two decimals."),
    "amount_scale/number": ("{place}不是数字。", "The {place} is not a number."),
    "kind_assumed": ("文件没有写明发票种类，按普通发票登记。", "The file does not give the kind; an ordinary invoice was assumed."),
    # The number.
    "number_format": ("发票号码只能用 0-9 A-Z . _ : -，最长 64 个字符。", "A number is 1 to 64 characters of 0-9 A-Z . _ : -"),
    "number_format/digital": ("数电票号码应为 20 位数字。", "The number of a fully digital invoice is 20 digits."),
    "number_format/legacy": (
        "发票号码应写作 10 或 12 位发票代码、“-”、8 位号码。",
        "The number is written as the code of 10 or 12 digits, a hyphen, and 8 digits.",
    ),
    "number_format/other": (
        "号码应以销方税号加“:”的 SHA-256 前 8 位（大写）和“:”开头，其后为票面号码（大写）。",
        "The number must be the first 8 hex digits of SHA-256 of the seller's tax id and a colon, a colon, and the printed number.",
    ),
    "number_format/original": ("原发票号码缺少或格式不对。", "The original's number is missing or not well formed."),
    "number_format/disagrees": ("文件中两处发票号码不一致。", "The file gives two different numbers."),
    "number_year": ("号码中的年份与开票日期不符。", "The year in the number is not that of the date of issue."),
    "region_unknown": ("{place}中的地区代码 {region} 未知。", "The {place} names an unknown region, {region}."),
    "region_unknown/format": ("地区代码应为 6 位数字。", "The region must be 6 digits."),
    # The parties.
    "tax_id_check_digit": (
        "{place}的校验位不符，请逐位核对。",
        "The check digit of the {place} does not fit; compare it digit by digit.",
    ),
    "tax_id_check_digit/alphabet": (
        "{place}含有统一社会信用代码不用的字符。",
        "The {place} holds characters that a unified social credit code never has.",
    ),
    "tax_id_format": ("{place}不是 18 位统一社会信用代码。", "The {place} is not a unified social credit code of 18 characters."),
    "tax_id_format/masked": ("{place}有遮盖的字符，无法校验。", "The {place} is masked and could not be checked."),
    "tax_id_format/identity_card": ("{place}是身份证号码。", "The {place} is an identity card number."),
    "buyer_title_missing": ("缺少购方名称（发票抬头）。", "The buyer's name is missing."),
    # Lines and totals.
    "item_missing": ("缺少项目名称。", "The item is missing."),
    "item_without_category": (
        "项目名称前应有商品分类简称，如 *信息技术服务*。",
        "The item should start with its category, such as *信息技术服务*.",
    ),
    "line_amount_tolerance": (
        "数量 × 单价 = {expected}，与金额相差超过 0.01。",
        "Quantity × unit price is {expected}: more than 0.01 from the amount.",
    ),
    "line_tax_tolerance": (
        "金额 × 税率 = {expected}，与税额相差超过 0.06。",
        "Amount × rate is {expected}: more than 0.06 from the tax.",
    ),
    "tax_tolerance": (
        "各行金额 × 税率合计 {expected}，与合计税额相差超过 1.27。",
        "Amount × rate over all lines is {expected}: more than 1.27 from the total tax.",
    ),
    "lines_do_not_add_up": ("各行合计为 {expected}，与{place}不等。", "The lines add up to {expected}, not to the {place}."),
    "totals_do_not_add_up": (
        "金额 + 税额 = {expected}，与{place}不等。",
        "Amount and tax add up to {expected}, not to the {place}.",
    ),
    "discount_line": ("折扣行应紧跟在被折扣行之后。", "A discount line stands right after the line that it discounts."),
    "discount_line/priced": ("折扣行不应有数量和单价。", "A discount line has no quantity and no unit price."),
    "discount_line/sign": (
        "折扣行的金额应为负数（红字发票为正数）。",
        "A discount is negative (positive in a red-letter invoice).",
    ),
    "discount_line/differs": (
        "折扣行的项目名称和税率应与被折扣行相同。",
        "A discount has the item and rate of the line that it discounts.",
    ),
    "discount_line/undiscounted": ("被折扣行之后没有折扣行。", "The discounted line is not followed by its discount."),
    "rate_not_allowed": ("没有 {rate} 这一税率或征收率。", "There is no rate of {rate}."),
    "rate_not_allowed/number": ("税率应写作小数，如 0.06。", "A rate is written as a decimal, such as 0.06."),
    "rate_not_allowed/time": ("开票日期不在 {rate} 税率的适用期内。", "The rate of {rate} was not in force on the date of issue."),
    "rate_not_allowed/label": ("税率标示只能是百分数、免税或不征税。", "A rate label is a percentage, 免税 or 不征税."),
    "rate_not_allowed/label_differs": ("税率标示与税率不符。", "The rate label does not agree with the rate."),
    "capitals_mismatch": (
        "大写金额为 {read}，与价税合计不符。",
        "The amount in capitals says {read}, not the total amount with tax.",
    ),
    "capitals_mismatch/unreadable": ("大写金额无法识别。", "The amount in capitals cannot be read."),
    "issued_in_the_future": ("{place}晚于今天。", "The {place} is in the future."),
    "check_code_format": ("电子发票的校验码应为 20 位数字。", "The check code of an electronic invoice is 20 digits."),
    # The original, and what is registered already.
    "reversal_without_original": (
        "红字发票（金额为负）须指明被红冲的原发票。",
        "A negative invoice must name the original that it reverses.",
    ),
    "reversal_exceeds_original": (
        "红冲合计超过原发票：尚可红冲 {left}。",
        "The reversals exceed the original: {left} of it is left to reverse.",
    ),
    "reversal_exceeds_original/not_negative": ("红字发票的价税合计应为负数。", "The total of a reversal must be negative."),
    "reversal_exceeds_original/unknown": (
        "本票或原发票的价税合计无法识别，不能红冲。",
        "The total of this invoice or of its original cannot be read, so nothing can be reversed.",
    ),
    "reversal_of_reversal": ("红字发票不能再被红冲。", "A red-letter invoice cannot itself be reversed."),
    "original_not_open": ("原发票的状态（{status}）不允许这样处理。", "The original's status ({status}) forbids this."),
    "original_not_open/seller": ("原发票属于另一销方。", "The original belongs to another seller."),
    "original_not_open/itself": ("原发票不能是本票自己。", "An invoice cannot be its own original."),
    "original_not_open/red_letter": ("红字发票不能作废重开。", "A red-letter invoice cannot be voided, so it cannot be reissued."),
    "original_not_registered": (
        "原发票尚未在本登记簿登记；登记后将自动关联。",
        "The original is not registered here yet; the two are joined as soon as it is.",
    ),
    "seller_not_bound": ("这把密钥不属于该销方。", "This key is not bound to that seller."),
    "number_taken": ("这个发票号码已经登记。", "This number is registered already."),
    "possible_duplicate": (
        "24 小时内已登记购销双方、金额和日期都相同的发票 {number}。",
        "Invoice {number}, of the same parties, total and day, was registered within 24 hours.",
    ),
}

FILES: dict[str, tuple[str, str]] = {
    "file_too_large": ("文件太大：最大 {limit}。", "The file is too large: {limit} at most."),
    "file_encoding": ("文件不是声明的 {encoding} 编码。", "The file is not in the encoding that it declares, {encoding}."),
    "xml_malformed": ("不是完整的 XML 文件。", "This is not a well-formed XML file."),
    "xml_dtd": ("XML 文件不能含有 DTD 或实体定义。", "The XML file must not have a DTD or entities."),
    "xml_too_deep": ("XML 文件嵌套过深。", "The XML file is nested too deeply."),
    "xml_too_many_elements": ("XML 文件的元素过多。", "The XML file has too many elements."),
    "tax_xml_other_root": ("不是数电票 XML：根元素是 {name}。", "This is no tax XML: its root element is {name}."),
    "tax_xml_element_missing": ("数电票 XML 缺少 {name}。", "The tax XML has no {name}."),
    "tax_xml_element_twice": (
        "数电票 XML 中 {name} 出现两次且内容不同。",
        "The tax XML has {name} twice, with different contents.",
    ),
    "zip_malformed": ("不是完整的 ZIP 文件。", "This is not a readable ZIP file."),
    "zip_too_many_entries": ("ZIP 中的文件超过 {limit} 个。", "The ZIP holds more than {limit} files."),
    "zip_too_large": ("ZIP 解压后超过 {limit}。", "The ZIP unpacks to more than {limit}."),
    "zip_ratio": ("压缩比异常，未解压。", "Its compression ratio is suspicious; it was not unpacked."),
    "zip_encrypted": ("文件已加密，无法读取。", "The file is encrypted."),
    "zip_compression": ("不支持这种压缩方式。", "This method of compression is not supported."),
    "zip_nested": ("压缩包中不能再有压缩包。", "An archive within an archive is not unpacked."),
    "not_tax_xml": ("不是 XML 文件，未导入。", "This is no XML file; it was not imported."),
    "qr_malformed": ("不是发票二维码的内容。", "This is not the text of an official invoice QR code."),
    "qr_number": ("二维码中的发票代码或号码不对。", "The code or number in the QR code is not well formed."),
    "qr_amount": ("二维码中的金额不对。", "The amount in the QR code is not well formed."),
    "qr_date": ("二维码中的日期不对。", "The date in the QR code is not well formed."),
}

_MORE = ("（另有 {more} 处相同）", " ({more} more like this)")


def sentence(code: str, params: Mapping[str, str], language: Language, pointer: str = "") -> str:
    """The sentence of one code. A code or case that is not in the catalogue is a defect: KeyError."""
    case = params.get("case")
    pair = FINDINGS.get(f"{code}/{case}") if case else None
    pair = pair or FINDINGS.get(code) or FILES[code]
    said = pair[language == "en"].format_map({"place": place(pointer, language), **params})
    if "more" in params:
        said += _MORE[language == "en"].format_map(params)
    return said


def detail(finding: Finding, language: Language) -> str:
    return sentence(finding.code, finding.params, language, finding.pointer)


def place(pointer: str, language: Language) -> str:
    """What a pointer into the sections leads to, in words: `/lines/3/amount` is 第 4 行金额, "amount of line 4"."""
    if pointer in _PLACES:
        return _PLACES[pointer][language == "en"]
    path = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    english = language == "en"
    if not path:
        return "invoice" if english else "发票"
    if path[0] not in _SECTIONS:
        return path[0]
    if len(path) == 1:
        return _SECTIONS[path[0]][english]
    if path[0] == "lines" and path[1].isdecimal():
        line, name = int(path[1]) + 1, _name(path[2:], english)
        if english:
            return f"{name} of line {line}" if name else f"line {line}"
        return f"第 {line} 行{name}"
    return _BEFORE_FIELDS.get(path[0], ("", ""))[english] + _name(path[1:], english)


def _name(path: list[str], english: bool) -> str:
    return (" " if english else "").join(_FIELDS[step][english] if step in _FIELDS else step for step in path)

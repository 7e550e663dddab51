"""What is said of PDFs and pictures, as the detail of the check form or content: what was compared, and what was not."""

from collections.abc import Mapping

SENTENCES: Mapping[str, tuple[str, str]] = {
    "carried.agrees": (
        "附件证明文件格式正确，与页面上的二维码（{host}）一致。页面文字未比对，请逐项核对。",
        "The attached proof file is well formed and is that of the page's QR code ({host}). Compare the printed words yourself.",
    ),
    "carried.official_agrees": (
        "附件证明文件格式正确，号码与页面上税务平台的二维码一致。页面其他内容未比对，请逐项核对。",
        "The attached proof file is well formed, its number that of the page's tax QR code. Compare all else on the page yourself.",
    ),
    "carried.no_code": (
        "附件证明文件格式正确。前 {pages} 页（共 {of} 页）上没有登记簿的二维码，页面未比对，请逐项核对。",
        "The attached proof file is well formed. {pages} of {of} pages have no QR code of a registry: compare the page yourself.",
    ),
    "carried.not_looked": (
        "附件证明文件格式正确。页面无法显示，未比对，请逐项核对。",
        "The attached proof file is well formed. The pages cannot be drawn: compare them yourself.",
    ),
    "carried.from_code": (
        "没有证明文件；凭二维码（{host}）取得的格式正确。票面文字未比对，请逐项核对。",
        "There was no proof file; the one fetched by the QR code ({host}) is well formed. Compare the printed words yourself.",
    ),
    "carried.number_differs": (
        "页面上的二维码是号码 {asked}，所附的证明文件是号码 {number}。",
        "The QR code on the page is of number {asked}, the attached proof file of number {number}.",
    ),
    "carried.copy_differs": (
        "页面上的二维码与所附的证明文件不是同一份。",
        "The QR code on the page and the attached proof file are of different copies.",
    ),
    "carried.several_codes": (
        "其中有 {count} 个不同的登记簿二维码：请只出示一个。",
        "It has {count} different QR codes of registries: please show one of them.",
    ),
    "carried.several_proofs": (
        "PDF 附有 {count} 个不同的证明文件，无法确定哪一个属于页面：请取出其中一个单独核验。",
        "The PDF has {count} different proof files, and none is known to belong to the page: take one out and check it.",
    ),
    "carried.code_alone": (
        "没有证明文件；按二维码取证明需要 --mirror。",
        "It has no proof file; to fetch one by its QR code, give --mirror.",
    ),
    "carried.other_host": (
        "二维码由 {host} 签发，不是本登记簿（{home}）的。请看清这个网址；若它是另一登记簿，请到那里核验。",
        "{host} issued the QR code, not this registry ({home}). Look closely at that address; ask another registry there.",
    ),
    "carried.other_code": (
        "二维码不是登记簿的，其内容为：{text}",
        "The QR code is not one of a registry. It says: {text}",
    ),
    "carried.official_code": (
        "这是税务平台的发票二维码，不含登记簿的指纹。请用号码、日期和金额查询。",
        "This is the tax platform's QR code, without a fingerprint of the registry. Look it up by number, date and amount.",
    ),
    "carried.nothing_in_pdf": (
        "PDF 没有附证明文件，前 {pages} 页（共 {of} 页）上也没有二维码。",
        "The PDF has no proof file attached, and {pages} of its {of} pages have no QR code.",
    ),
    "carried.nothing_in_picture": (
        "图片中没有认出二维码。请拍得近一些、清楚一些，再试一次。",
        "No QR code was found in the picture. Take it closer and sharper, and try again.",
    ),
    "carried.pdf_unreadable": ("PDF 已损坏，无法读取。", "The PDF is damaged and cannot be read."),
    "carried.pdf_encrypted": ("PDF 已加密，请出示没有密码的文件。", "The PDF is encrypted: show one without a password."),
    "carried.picture_unreadable": ("图片已损坏或格式不支持。", "The picture is damaged, or of a format that is not supported."),
    "carried.too_large": ("文件超过 {limit} MiB。", "The file is larger than {limit} MiB."),
    "carried.too_many_pixels": ("图片超过 {limit} 百万像素。", "The picture has more than {limit} million pixels."),
    "carried.too_costly": (
        "读取这个文件超出了时间或内存的限度，已停止。",
        "Reading this file took more time or memory than is allowed, and was stopped.",
    ),
    "carried.no_reader": (
        "读取 PDF 需要安装 zhengpiao[pdf]。",
        "Reading PDFs needs zhengpiao[pdf] to be installed.",
    ),
}

"""Problems with keys, people and what they do at desks."""

from service.api.catalogue.problem import Problem

STAFF: dict[str, Problem] = {
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
}

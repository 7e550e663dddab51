"""What the API refuses of any request, and what the service itself cannot do now."""

from service.api.catalogue.problem import Problem

REQUESTS: dict[str, Problem] = {
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

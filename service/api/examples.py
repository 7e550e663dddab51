"""Examples of /openapi.json. The parties and numbers are fictitious; tests send the requests and hold all of it to the schemas."""

from typing import Any

NUMBER = "26112999000000000003"
COMMITMENT = "7d0c3a5f0f1b0d6c9e1a8b7c6d5e4f30123456789abcdef00fedcba987654321"
COPY = "b53d0f4f7e6d5c4b3a29181706f5e4d3c2b1a09f8e7d6c5b4a39281706f5e4d3"
KEY = "4c1f0e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1"
ROOT = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
ZERO = "0" * 64
CONTRACT = "0x5fbdb2315678afecb367f032d93f642f64180aa3"
SALT = "00112233445566778899aabbccddeeff"
KEY_ID = "8a88e3dd7409f195"
SIGNATURE = (
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
    "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
)
RECORDED_AT = 1795600000000

SECTIONS: dict[str, Any] = {
    "header": {
        "schema": "zhengpiao/invoice/1",
        "kind": "digital_ordinary",
        "number": NUMBER,
        "issued_on": "2026-11-20",
        "issued_at": "2026-11-20T20:05:33+08:00",
        "region": "110000",
    },
    "seller": {"name": "北京市东城区示例餐饮店（个体工商户）", "tax_id": "92110101MAXXXX04XG"},
    "totals": {
        "currency": "CNY",
        "amount": "316.83",
        "tax": "3.17",
        "amount_with_tax": "320.00",
        "amount_in_capitals": "叁佰贰拾圆整",
    },
    "provenance": {"drawer": "王开票"},
    "buyer": {"name": "个人（张三）"},
    "lines": [
        {
            "item": "*餐饮服务*餐费",
            "quantity": "1",
            "unit_price": "316.83",
            "amount": "316.83",
            "rate": "0.01",
            "rate_label": "1%",
            "tax": "3.17",
        }
    ],
    "payment": {},
    "notes": {},
}
SUBMISSION = {"external_id": "ERP-2026-000317", "profile": "as_issued", "sections": SECTIONS}
NDJSON = '{"profile":"as_issued","sections":{…}}\n{"profile":"as_issued","sections":{…}}\n'

CHAIN = {"chain_id": 31337, "contract": CONTRACT}
ENTRY = {"kind": "issue", "recorded_at": RECORDED_AT, "key": KEY, "copy": COPY, "other": ZERO, "auth": ZERO}
RECEIPT = {"key_id": KEY_ID, "deadline": RECORDED_AT + 60_000, "signature": SIGNATURE}
LINKS = {
    "self": f"/v1/invoices/{NUMBER}",
    "timeline": f"/v1/invoices/{NUMBER}/timeline",
    "proof": f"/v1/invoices/{NUMBER}/proof",
}
FINDING = {
    "pointer": "/lines/0/item",
    "code": "item_without_category",
    "severity": "warning",
    "detail": "项目名称前应有商品分类简称，如 *信息技术服务*。",
}
REGISTERED = {
    "number": NUMBER,
    "chain": CHAIN,
    "commitment": COMMITMENT,
    "state": "pending",
    "entry": ENTRY,
    "salts": dict.fromkeys(SECTIONS, SALT),
    "receipt": RECEIPT,
    "sections": {},
    "findings": [],
    "links": {**LINKS, "verify": f"https://registry.example/v#{NUMBER}.PUGDUXYPDMGWZHQ2RN6G2XSPGAJDIVTYTK6N54AP5XF2TB3FIMQQ"},
}
PROBLEM = {
    "type": "https://registry.example/problems/number_taken",
    "title": "发票号码已登记",
    "status": 409,
    "detail": f"发票号码 {NUMBER} 已经登记，不能再次登记。",
    "code": "number_taken",
    "registered_at": "2026-11-25T08:26:40.000+00:00",
    "same_content": True,
    "links": LINKS,
    "errors": [{"pointer": "/header/number", "code": "number_taken", "severity": "error", "detail": "这个发票号码已经登记。"}],
}
CHECKED: dict[str, Any] = {"accepted": True, "code": None, "findings": [FINDING], "sections": {}}
BATCH_LINE = {"line": 1, "status": 201, "result": REGISTERED}

IMPORT_ID = "5f0e8a1c9d3b7e24"
IMPORT_QUEUED = {"id": IMPORT_ID, "state": "queued", "links": {"self": f"/v1/imports/{IMPORT_ID}"}}
IMPORT_JOB = {
    "id": IMPORT_ID,
    "file_name": "发票.xml",
    "sha256": ROOT,
    "profile": "as_issued",
    "dry_run": False,
    "state": "done",
    "created_at": "2026-11-25T08:26:40.000+00:00",
    "finished_at": "2026-11-25T08:26:41.000+00:00",
    "counts": {"rows": 1, "accepted": 1, "refused": 0},
    "rows": [{"row": 0, "file": None, "number": NUMBER, "problem": None, "findings": []}],
    "next_cursor": None,
}

SEARCH = {"q": "餐饮", "issued_from": "2026-11-01", "amount_from": "100.00", "status": "valid", "limit": 20}
FOUND = {
    "items": [
        {
            "number": NUMBER,
            "kind": "digital_ordinary",
            "issued_on": "2026-11-20",
            "seller": SECTIONS["seller"],
            "buyer": {"name": "个人（张三）", "tax_id": None},
            "amount_with_tax": "320.00",
            "currency": "CNY",
            "status": "valid",
            "state": "final",
            "accepted_at": "2026-11-25T08:26:40.000+00:00",
            "external_id": None,
        }
    ],
    "next_cursor": None,
    "indexed": {"seq": 15, "index": 3, "behind": 0},
}
INVOICE = {
    "number": NUMBER,
    "status": "valid",
    "state": "final",
    "chain": CHAIN,
    "commitment": COMMITMENT,
    "sections": SECTIONS,
    "findings": [],
    "profile": "as_issued",
    "external_id": "ERP-2026-000317",
    "registered_at": "2026-11-25T08:26:40.000+00:00",
    "links": LINKS,
}
TIMELINE = {
    "number": NUMBER,
    "entries": [
        {
            "kind": "issue",
            "state": "sealed",
            "hops": [
                {"hop": "submitted", "at": "2026-11-25T08:26:40.000+00:00", "external_id": None},
                {"hop": "sealed", "at": "2026-11-25T08:26:41.250+00:00", "seq": 12, "index": 17},
                {"hop": "delivered", "at": "2026-11-25T08:26:50.000+00:00", "consumer": "3ovefxwooz", "cursor": 12},
            ],
        }
    ],
}
VOID = {"reason": "开票有误，已重开", "replaced_by": "26112999000000000012"}
VOIDED = {
    "number": NUMBER,
    "status": "void",
    "state": "pending",
    "entry": {**ENTRY, "kind": "void"},
    "receipt": RECEIPT,
    "links": LINKS,
}
QUESTION = {"number": NUMBER, "commitment": COMMITMENT}
PROOF = {
    "protocol": "zp1",
    "chain": CHAIN,
    "number": "26112999000000000099",
    "register": {"seq": 15, "siblings": [ROOT], "state": None, "neighbour": None},
}
STATEMENT = {
    "status": "valid",
    "state": "final",
    "current": True,
    "since": "2026-11-25T08:26:40.000+00:00",
    "findings": 0,
    "pending": {"kind": "void"},
}
LOOKUP = {"number": NUMBER, "issued_on": "2026-11-20", "amount_with_tax": "320.00"}
LOOKED_UP = {
    "result": "match",
    "number": NUMBER,
    "status": "valid",
    "proof": {
        "protocol": "zp1",
        "chain": CHAIN,
        "number": NUMBER,
        "register": {"seq": 15, "siblings": [ROOT], "state_hash": COPY},
    },
    "tries_left": 5,
}
DOCUMENT = {"number": NUMBER, "commitment": COMMITMENT, "buyer_name": "个人（张三）"}
NOT_PRINTABLE = {"number": NUMBER, "state": "sealed", "links": LINKS}
REPORT: dict[str, Any] = {
    "file": "invoice.pdf",
    "verdict": "valid",
    "number": NUMBER,
    "disclosed": ["header", "seller", "totals", "provenance"],
    "status": "valid",
    "as_of": {"seq": 15, "time": 1795600012},
    "source": {
        "kind": "rpc",
        "endpoints": ["https://rpc.example"],
        "block": {"number": 4719, "hash": "0x" + ROOT, "time": 1795600020},
    },
    "checks": [{"name": "form", "result": "pass", "detail": "证明文件格式正确。"}],
}
TRUST = {
    "protocol": "zp1",
    "chain": CHAIN,
    "service_keys": {KEY_ID: "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"},
    "rpc_urls": ["https://rpc.example"],
    "finality": "finalized",
    "promise_s": 60,
    "heartbeat_s": 3600,
    "grace_s": 300,
    "max_lag_s": 3600,
}
ANCHOR = {
    "seq": 12,
    "log_root": ROOT,
    "register_root": COPY,
    "size": 1000,
    "state": "final",
    "foreign": False,
    "sealed_at": "2026-11-25T08:26:41.250+00:00",
    "block": 4711,
    "block_at": "2026-11-25T08:26:43.000+00:00",
    "transaction": "0x" + KEY,
    "transactions": ["0x" + KEY],
}
ANCHORS = {"items": [ANCHOR], "next_cursor": "12"}
KEY_ORDER = {"role": "issuer", "bound": ["92110101MAXXXX04XG"], "label": "收银系统"}
KEY_ROW = {
    "id": "k4m2xq7abc",
    "prefix": "zp_test_k4m2xq7abc",
    "env": "test",
    **KEY_ORDER,
    "created_at": "2026-11-25T08:26:40.000+00:00",
    "revoked_at": None,
}
CREATED_KEY = {**KEY_ROW, "key": "zp_test_k4m2xq7abc_" + "a" * 52 + "bcdefgh"}
KEYS = {"items": [KEY_ROW], "next_cursor": None}
STATUS = {
    "env": "dev",
    "chain": CHAIN,
    "head": 15,
    "final_head": 15,
    "final_block": 4720,
    "final_block_at": "2026-11-25T08:27:00.000+00:00",
    "sealed_head": 15,
    "lag_s": 3,
    "backlog": 0,
    "oldest_pending_s": None,
    "worker_seen_at": "2026-11-25T08:27:03.000+00:00",
    "trouble": None,
    "endpoints_left_out": 0,
    "promise_s": 60,
    "incidents": {},
    "node": None,
    "relaxed": [{"code": "env_dev", "detail": "这是演示或开发环境。"}],
}

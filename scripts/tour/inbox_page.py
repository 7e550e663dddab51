"""The page of the demo's inbox: what arrived, newest first, with links that can be followed."""

import re
from datetime import datetime
from html import escape
from typing import Any

_LINK = re.compile(r"https?://[^\s，。]+")
_NAMES = {"email": ("邮件", "e-mail"), "sms": ("短信", "SMS"), "webhook": ("推送", "webhook")}

_HEAD = """<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
      content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-src 'self'">
<title>演示收件箱 Inbox</title>
<style>
  :root { color-scheme: light dark; --ground: #f5f6f8; --card: #fff; --text: #1c1f24; --quiet: #596273; --line: #d9dde4;
          --link: #1d4ed8; }
  @media (prefers-color-scheme: dark) {
    :root { --ground: #14171c; --card: #1d2128; --text: #e8eaee; --quiet: #a3adbb; --line: #343b46; --link: #9db8ff; }
  }
  body { margin: 0; background: var(--ground); color: var(--text);
         font: 16px/1.6 "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
  main { max-width: 680px; margin: 0 auto; padding: 24px 16px 48px; }
  h1 { font-size: 22px; margin: 0 0 4px; }
  .about, .meta { color: var(--quiet); font-size: 14px; margin: 0; }
  article { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 16px; margin-top: 16px; }
  h2 { font-size: 16px; margin: 4px 0 8px; overflow-wrap: anywhere; }
  pre { font: inherit; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; }
  a { color: var(--link); }
  details { margin-top: 12px; }
  summary { cursor: pointer; padding: 8px 0; }
  iframe { width: 100%; height: 420px; border: 1px solid var(--line); border-radius: 8px; background: #fff; }
</style>
<main>
<h1>演示收件箱 <span lang="en">Inbox</span></h1>
<p class="about">演示中发出的邮件、短信和推送都到这里，不会真的寄出。
<span lang="en">E-mail, SMS and webhooks of the demo end here; nothing leaves this machine.</span></p>
"""
_FOOT = """</main>
<script>
  const shown = %d;
  setInterval(async () => {
    const answer = await fetch("/messages.json").catch(() => null);
    if (answer?.ok && (await answer.json()).messages.length !== shown) location.reload();
  }, 1000);
</script>
</html>
"""


def page(arrived: list[dict[str, Any]]) -> str:
    """The whole page."""
    shown = list(arrived)
    cards = [_card(n, message) for n, message in reversed(list(enumerate(shown)))]
    empty = '<article><p class="meta">还没有消息。 <span lang="en">Nothing has arrived yet.</span></p></article>\n'
    return _HEAD + ("".join(cards) or empty) + _FOOT % len(shown)


def _card(n: int, message: dict[str, Any]) -> str:
    zh, en = _NAMES[message["channel"]]
    at = datetime.fromtimestamp(message["at"] / 1000).astimezone()
    html = ""
    if message.get("html"):
        html = (
            '<details><summary>带格式的样子 <span lang="en">as HTML</span></summary>'
            f'<iframe sandbox="allow-popups" title="HTML" loading="lazy" src="/messages/{n}.html"></iframe></details>'
        )
    return (
        f'<article data-channel="{message["channel"]}"><p class="meta">{zh} <span lang="en">{en}</span> · '
        f'{escape(message["to"])} · <time datetime="{at.isoformat()}">{at:%H:%M:%S}</time></p>'
        f"<h2>{escape(str(message['subject']))}</h2><pre>{_linked(message['text'].rstrip())}</pre>{html}</article>\n"
    )


def _linked(text: str) -> str:
    made, end = [], 0
    for found in _LINK.finditer(text):
        made += [escape(text[end : found.start()]), f'<a href="{escape(found[0])}" target="_blank">{escape(found[0])}</a>']
        end = found.end()
    return "".join([*made, escape(text[end:])])

/**
 * `/operator/releases/NUMBER`: what an operator decides on. What is approved is the hash of exactly what this page shows, computed here
 * from what is shown.
 */

import { hex, utf8 } from "../../../verifier/web/bytes.js";
import { canonicalBytes } from "../../../verifier/web/canonical.js";
import { sha256 } from "../../../verifier/web/hash.js";
import { h } from "../../../verifier/web/page/dom.js";
import { money, t } from "../../../verifier/web/page/texts.js";
import { ask } from "./ask.js";
import { data } from "./data.js";
import { errorsOf, errorSummary, field, showErrors, valuesOf } from "./dialog.js";
import { badge, bones, facts, hash, time, word } from "./show.js";
import { announce, busy, button, notice, page, part, said, start, titled, trouble } from "./start.js";

const number = /** @type {Record<string, string>} */ (data.params).number;
const path = `/v1/invoices/${encodeURIComponent(number)}/release`;
const me = data.session?.person.id;

start();
/** @type {any} */
let view = null;
/** @type {any} */
let done = null;
/** @type {unknown} */
let wrong = null;

const about = part(() => (wrong ? trouble(wrong) : view ? aboutView() : bones()), "section", { class: "card stack" });
const decision = part(() => (done ? doneView() : view && (view.request ? waitingView() : requestView())), "section", { class: "card stack", "aria-live": "polite" });
page("heading.release", [], h("div", { class: "columns" }, about.element, decision.element), h("p", {}, h("a", { href: "/operator" }, "← ", said("release.back"))));
titled("heading.release.of", { number });
load();

async function load() {
  try {
    view = await ask("GET", path);
    wrong = null;
  } catch (error) {
    wrong = error;
  }
  about.draw();
  decision.draw();
}

/** @param {string} reason */
const hashOfShown = async (reason) => hex(await sha256(utf8("zhengpiao/shown"), new Uint8Array(1), canonicalBytes({ act: "release", reason, ...view.shown })));

function aboutView() {
  const { shown } = view;
  return [
    said("release.invoice", "h2"),
    h("p", { class: "row" }, badge("status", shown.status)),
    facts([
      ["member.number", h("strong", { class: "digits" }, shown.number)],
      ["member.issued_on", shown.issued_on ?? "—"],
      ["member.kind", word(`kind_of.${shown.kind}`, shown.kind ?? "—")],
      ["section.seller", h("span", {}, shown.seller ?? "—", h("span", { class: "soft block digits" }, shown.seller_tax_id ?? ""))],
      ["section.buyer", shown.buyer ?? "—"],
      ["member.amount_with_tax", shown.amount_with_tax ? money(shown.amount_with_tax, shown.currency ?? "") : "—"],
      ["invoice.registered", time(shown.registered_at)],
      ["member.copy", hash(shown.copy, "member.copy")],
    ]),
  ];
}

/** The first operator's part. */
function requestView() {
  if (view.shown.status !== "valid") return [said("release.request", "h2"), notice("caution", "warning", h("p", {}, t("release.not_open", { status: word(`status.${view.shown.status}`, view.shown.status) })))];
  const submit = button("release.request.submit", { primary: true, type: "submit" });
  const form = h("form", { novalidate: true, onsubmit: send }, errorSummary(), field("reason", "release.reason", { hint: "release.reason.hint", rows: 3, maxlength: 500 }), h("div", { class: "row" }, submit));
  return [said("release.request", "h2"), notice("caution", "warning", h("p", {}, t("release.warning"))), form];

  /** @param {Event} event */
  async function send(event) {
    event.preventDefault();
    const { reason } = valuesOf(form);
    showErrors(form, reason === "" ? { reason: t("release.reason.missing") } : {});
    if (reason === "") return;
    await busy(submit, async () => {
      try {
        await ask("POST", path, { reason, shown: await hashOfShown(reason) });
        announce(t("release.requested"));
        await load();
      } catch (error) {
        showErrors(form, errorsOf(error));
      }
    });
  }
}

/** The second operator's part; the first one may take the request back. */
function waitingView() {
  const { request } = view;
  const isMine = request.requested_by === me;
  const form = h(
    "form",
    { novalidate: true, onsubmit: (/** @type {Event} */ event) => event.preventDefault() },
    errorSummary(),
    h(
      "div",
      { class: "row" },
      !isMine && button("release.confirm", { primary: true, icon: "check", run: (event) => act(event, send) }),
      button(isMine ? "release.take_back" : "release.decline", { icon: "cross", run: (event) => act(event, () => ask("DELETE", path)) }),
    ),
  );
  return [
    said("release.waiting", "h2"),
    facts([
      ["releases.requested", h("span", {}, request.requested_by_name ?? request.requested_by)],
      ["release.at", time(request.requested_at)],
      ["releases.reason", request.reason],
      ["release.lapses", time(request.lapses_at)],
    ]),
    isMine ? notice("wait", "clock", h("p", {}, t("release.mine"))) : notice("caution", "warning", h("p", {}, t("release.second"))),
    form,
  ];

  async function send() {
    const answer = await ask("POST", path, { shown: await hashOfShown(request.reason) });
    if (answer.status === "released") done = answer;
  }

  /** @param {Event} event @param {() => Promise<unknown>} work */
  async function act(event, work) {
    await busy(/** @type {any} */ (event.currentTarget), async () => {
      try {
        await work();
        announce(t(done ? "release.done" : "release.over"));
        await load();
      } catch (error) {
        showErrors(form, errorsOf(error));
      }
    });
  }
}

function doneView() {
  const { request, entry, state } = done;
  return [
    said("release.done", "h2"),
    notice("good", "check", h("p", {}, t("release.done.said"))),
    facts([
      ["releases.requested", request.requested_by_name ?? request.requested_by],
      ["releases.decided", request.decided_by_name ?? request.decided_by],
      ["invoices.state", badge("state", state)],
      ["release.auth", hash(entry.auth, "release.auth")],
    ]),
  ];
}

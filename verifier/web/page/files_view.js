/** Dropped or chosen files: one answer for one file, a table for several, and from each row its answer. */

import { actionsFor } from "./actions.js";
import { amountOf, sellerOf } from "./answer.js";
import { digits, say } from "./answer_view.js";
import { byId, h, icon } from "./dom.js";
import { download } from "./downloads.js";
import { itemsOf } from "./dropped.js";
import { money, onLanguage, t } from "./texts.js";
import { watch } from "./watching.js";

const MAX_FILES = 500;
const AT_ONCE = 2;

/**
 * @typedef {import("./dropped.js").Item} Item
 * @typedef {import("./examining.js").Outcome} Outcome
 * @typedef {{item: Item, outcome: Outcome | null, watch: import("./watching.js").Watch | null}} Row
 *
 * @typedef {object} Way how the page goes on from an answer
 * @property {import("./answer_view.js").Action} next
 * @property {(item: Item, show: (item: Item) => void) => import("./answer_view.js").Action | null} other
 * @property {(item: Item, outcome: Outcome) => string | null} code on paper
 * @property {(file: File) => Promise<Item | null>} [first] what the page itself has to say of a file, before that is read
 * @property {() => void} [begun] other files came
 * @property {(item: Item, outcome: Outcome) => void} [opened] that answer is shown now
 */

/**
 * The page has: #files (input), #drop (the zone), #results.
 * @param {() => import("./dropped.js").Surroundings} around as they are when a file comes
 * @param {ReturnType<typeof import("./answer_place.js").answerPlace>} place
 * @param {Way} way
 */
export function filesView(around, place, way) {
  const [input, zone, results, live] = ["files", "drop", "results", "live"].map(byId);
  /** @type {Row[]} */
  let rows = [];
  /** @type {Row | null} */
  let opened = null;
  let expected = 0;

  /** @param {number} count how many are to come @param {string} waiting */
  function begin(count, waiting) {
    for (const row of rows) row.watch?.stop();
    [rows, opened, expected] = [[], null, count];
    results.replaceChildren();
    way.begun?.();
    place.wait(waiting);
    place.focus();
  }

  /** @param {File[]} files */
  async function take(files) {
    if (files.length === 0) return;
    begin(Math.min(files.length, MAX_FILES), "waiting.file");
    const mine = rows;
    const queue = files.slice(0, MAX_FILES);
    await Promise.all(Array.from({ length: AT_ONCE }, () => work(queue, mine)));
    if (mine === rows && files.length > MAX_FILES) live.textContent = t("files.too_many", { count: MAX_FILES });
  }

  /** @param {File[]} queue @param {Row[]} mine */
  async function work(queue, mine) {
    for (let file = queue.shift(); file && mine === rows; file = queue.shift()) {
      const own = await way.first?.(file);
      const items = own ? [own] : await itemsOf(file, around());
      if (mine !== rows) return;
      expected += items.length - 1;
      await Promise.all(items.map((item) => start({ item, outcome: null, watch: null })));
    }
  }

  /** Done when the first answer is there. @param {Row} row @returns {Promise<void>} */
  function start(row) {
    rows.push(row);
    if (expected > 1 && rows.length === 1) place.clear();
    render();
    return new Promise((done) => {
      row.watch = watch(
        row.item.look,
        (outcome) => {
          row.outcome = outcome;
          render();
          done();
        },
        (error) => {
          done();
          throw error;
        },
      );
    });
  }

  function render() {
    const [only] = rows;
    if (expected === 1) {
      if (!only.outcome) return;
      open(only);
      if (opened === null) place.focus();
      opened = only;
      return;
    }
    const focused = results.contains(document.activeElement) ? /** @type {any} */ (document.activeElement).dataset.row : undefined;
    results.replaceChildren(table(rows, expected, openRow));
    if (focused !== undefined) results.querySelector(`[data-row="${focused}"]`)?.focus({ preventScroll: true });
    if (opened?.outcome) open(opened);
  }

  /** @param {Row} row */
  function openRow(row) {
    opened = row;
    open(row);
    place.focus();
  }

  /** @param {Row} row */
  function open(row) {
    const { item } = row;
    const outcome = /** @type {Outcome} */ (row.outcome);
    const again = () => (outcome.answer.examination ? row.watch?.again() : undefined);
    const other = way.other(item, (replacement) => {
      row.watch?.stop();
      row.item = replacement;
      row.watch = watch(
        replacement.look,
        (found) => {
          row.outcome = found;
          render();
        },
        report,
      );
    });
    place.show({
      answer: outcome.answer,
      actions: () => actionsFor(outcome, { next: way.next, again, other }),
      code: way.code(item, outcome),
    });
    way.opened?.(item, outcome);
  }

  input.addEventListener("change", () => {
    void take([...input.files]);
    input.value = "";
  });
  for (const type of ["dragenter", "dragover"])
    addEventListener(type, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  addEventListener("dragleave", (event) => {
    if (/** @type {DragEvent} */ (event).relatedTarget === null) zone.classList.remove("over");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    void take([.../** @type {DragEvent} */ (event.dataTransfer?.files ?? [])]);
  });
  addEventListener("paste", (event) => {
    const files = [.../** @type {ClipboardEvent} */ (event.clipboardData?.files ?? [])];
    if (files.length > 0) void take(files);
  });
  onLanguage(() => expected > 1 && render());
  return {
    /** One thing that did not come as a file. @param {Item} item */
    open(item) {
      begin(1, "waiting.copy");
      void start({ item, outcome: null, watch: null });
    },
  };
}

/** @param {unknown} error */
const report = (error) => {
  throw error;
};

const ORDER = ["good", "caution", "bad", "wait", "neutral"];

/** @param {Row[]} rows @param {number} expected @param {(row: Row) => void} open */
function table(rows, expected, open) {
  const done = rows.filter(({ outcome }) => outcome !== null);
  const roles = done.map(({ outcome }) => /** @type {Outcome} */ (outcome).answer.role);
  return h(
    "section",
    { class: "several" },
    h("h2", {}, t("files.heading", { count: expected })),
    h(
      "ul",
      { class: "tally" },
      ORDER.map((role) => [role, roles.filter((one) => one === role).length])
        .filter(([, count]) => count)
        .map(([role, count]) => h("li", { "data-role": role }, t(`files.tally.${role}`, { count }))),
      done.length < expected && h("li", { class: "pulse-text" }, t("files.left", { count: expected - done.length })),
    ),
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ["result", "file", "number", "seller", "amount"].map((name) =>
            h("th", { scope: "col", class: name }, t(`column.${name}`)),
          ),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map((row, i) => line(row, i, open)),
      ),
    ),
    done.length === expected &&
      h(
        "p",
        {},
        h(
          "button",
          { type: "button", class: "button", onclick: () => download(csv(rows), "zhengpiao.csv", "text/csv") },
          icon("save"),
          h("span", {}, t("files.csv")),
        ),
      ),
  );
}

/** @param {Row} row @param {number} i @param {(row: Row) => void} open */
function line(row, i, open) {
  const { item, outcome } = row;
  const cell = (/** @type {string} */ name, /** @type {any} */ content) =>
    h("td", { class: name, "data-label": t(`column.${name}`) }, content);
  const { number, seller, amount } = factsOf(outcome);
  return h(
    "tr",
    { "data-role": outcome?.answer.role ?? null },
    h(
      "td",
      { class: "result" },
      outcome
        ? h(
            "button",
            { type: "button", class: "open", "data-row": String(i), onclick: () => open(row) },
            icon(outcome.answer.icon),
            h("span", {}, say(outcome.answer.word)),
          )
        : h("span", { class: "pulse-text" }, t("waiting.row")),
    ),
    cell("file", item.name),
    cell("number", number && digits(number)),
    cell("seller", seller),
    cell("amount", amount),
  );
}

/** @param {Outcome | null} outcome */
function factsOf(outcome) {
  const proof = outcome?.answer.compare ? outcome.answer.examination?.proof : null;
  const [amount, currency] = amountOf(proof ?? null);
  return {
    number: proof?.number ?? outcome?.answer.examination?.proof?.number ?? "",
    seller: sellerOf(proof ?? null) ?? "",
    amount: amount === null ? "" : money(amount, currency),
  };
}

/**
 * A spreadsheet takes a text that begins like a formula for one, and 20 digits for a number, which it rounds.
 * @param {Row[]} rows
 */
function csv(rows) {
  const field = (/** @type {string} */ text) => `"${safe(text).replaceAll('"', '""')}"`;
  const safe = (/** @type {string} */ text) =>
    /^[=+\-@\t\r]/.test(text) ? `'${text}` : /^\d{12,}$/.test(text) ? `\t${text}` : text;
  const head = ["file", "result", "number", "seller", "amount"].map((name) => field(t(`column.${name}`)));
  const lines = rows.map(({ item, outcome }) => {
    const { number, seller, amount } = factsOf(outcome);
    const word = outcome ? say(outcome.answer.word) : "";
    return [item.name, word, number, seller, amount].map(field);
  });
  return `\ufeff${[head, ...lines].map((cells) => cells.join(",")).join("\r\n")}\r\n`;
}

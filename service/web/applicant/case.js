/** The case as the API has it: read, moved, and read again by itself while somebody else owes the next step. */

import { onLanguage } from "../../../verifier/web/page/texts.js";
import { ask, Refused, response } from "./ask.js";
import { forgetCase, keepCase } from "./kept.js";
import { pauseOf } from "./steps.js";

/**
 * @typedef {object} Case GET /v1/reprints/{id}; times RFC 3339
 * @property {string} id
 * @property {string} state
 * @property {number} step 1 to 5
 * @property {"applicant" | "reviewer" | "system" | "issuer" | "nobody"} owed_by
 * @property {string | null} due_at
 * @property {string} number
 * @property {string | null} kind
 * @property {string | null} delivery
 * @property {string | null} contact_hint
 * @property {any} application
 * @property {any} diagnosis
 * @property {any} fee
 * @property {{needed: any[], items: any[]}} materials
 * @property {{at: string, event: string, source: string | null, target: string, by: string, reason: string | null}[]} history
 * @property {any} result
 * @property {string[]} actions
 */

/**
 * @param {import("./kept.js").Kept} kept
 * @param {{show: (found: Case) => void, fail: (error: unknown) => void, gone: () => void}} on `gone`: the token is good no more
 */
export function openCase(kept, on) {
  let { token } = kept;
  const path = `/v1/reprints/${kept.id}`;
  let isOver = false;
  let count = 0;
  let turn = 0;
  /** @type {Case | null} */
  let last = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @param {Case} found */
  function take(found) {
    if (isOver) return;
    if (last?.state !== found.state) count = 0;
    last = found;
    on.show(found);
    plan();
  }

  function plan() {
    clearTimeout(timer);
    const pause = last && pauseOf(last, count++);
    if (pause) timer = setTimeout(() => void read(), 1000 * pause);
  }

  async function read() {
    const mine = ++turn;
    try {
      const found = await ask("GET", path, { token });
      if (mine === turn) take(found);
    } catch (error) {
      if (isOver || mine !== turn) return;
      if (error instanceof Refused && [401, 403, 404].includes(error.status)) return end();
      if (last === null) on.fail(error);
      else plan(); // what stands on the page is still right as of then
    }
  }

  function end() {
    stop();
    forgetCase();
    on.gone();
  }

  function stop() {
    isOver = true;
    clearTimeout(timer);
    removeEventListener("online", back);
    document.removeEventListener("visibilitychange", back);
  }

  const back = () => void (document.visibilityState === "visible" && !isOver && read());
  addEventListener("online", back);
  document.addEventListener("visibilitychange", back);
  // The service's own sentences come in the page's language.
  onLanguage(() => void (!isOver && read()));
  void read();

  return {
    id: kept.id,
    path,
    read,
    stop,
    take,
    token: () => token,
    /** @param {string} fresh */
    renew(fresh) {
      token = fresh;
      keepCase({ id: kept.id, token });
    },
    /** A step of the applicant's; what the case is then is shown. @param {string} name @param {unknown} [body] */
    async act(name, body = {}) {
      const answer = await ask("POST", `${path}/${name}`, { token, body });
      turn++;
      if (answer?.state && answer.id === kept.id) take(answer);
      else if (!answer?.token) await read(); // a new token ends the old one: whoever asked for it goes on with it
      return answer;
    },
    /** @param {string} name @returns {Promise<any>} */
    get: (name) => ask("GET", `${path}/${name}`, { token }),
    /** A file of the case. @param {string} name @returns {Promise<Blob>} */
    file: async (name) => (await response("GET", `${path}/${name}`, { token, timeout_ms: 60_000 })).blob(),
    /** @param {string} name */
    remove: (name) => ask("DELETE", `${path}/${name}`, { token }),
  };
}

/** @typedef {ReturnType<typeof openCase>} Opened */

/** Looking, and looking again by itself while the answer may still change. */

const PAUSES_S = [3, 4, 5, 6, 8, 10, 15, 20, 30, 60];

/**
 * @typedef {import("./examining.js").Outcome} Outcome
 * @typedef {{again: () => void, stop: () => void}} Watch
 */

/**
 * @param {() => Promise<Outcome>} look never rejects for what a server or a chain did
 * @param {(outcome: Outcome) => void} show
 * @param {(error: unknown) => void} fail
 * @returns {Watch}
 */
export function watch(look, show, fail) {
  let isOver = false;
  let isLooking = false;
  let count = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  async function go() {
    if (isOver || isLooking) return;
    clearTimeout(timer);
    isLooking = true;
    try {
      const outcome = await look();
      if (isOver) return;
      show(outcome);
      if (outcome.answer.waits) timer = setTimeout(go, 1000 * PAUSES_S[Math.min(count++, PAUSES_S.length - 1)]);
      else count = 0;
      waits = outcome.answer.waits;
    } catch (error) {
      if (!isOver) fail(error);
    } finally {
      isLooking = false;
    }
  }
  let waits = true;
  const back = () => void (waits && document.visibilityState === "visible" && go());
  addEventListener("online", back);
  document.addEventListener("visibilitychange", back);
  void go();
  return {
    again: () => void go(),
    stop: () => {
      isOver = true;
      clearTimeout(timer);
      removeEventListener("online", back);
      document.removeEventListener("visibilitychange", back);
    },
  };
}

/** `/unsubscribe#TOKEN`: where a notice's last line leads. Opening it changes nothing: programs that look ahead open links, too. */

import { byId, h } from "../../../verifier/web/page/dom.js";
import { addTexts, onLanguage, t } from "../../../verifier/web/page/texts.js";
import { startWords } from "../scripts/page.js";
import { ask } from "./ask.js";
import { busy, button, notice, said, trouble } from "./parts.js";
import en from "./texts/en.json" with { type: "json" };
import zh from "./texts/zh-CN.json" with { type: "json" };

addTexts({ "zh-CN": zh, en });
startWords();

const root = byId("root");
const [token] = /^[A-Za-z0-9_-]{20,500}$/.exec(location.hash.slice(1)) ?? [null];
history.replaceState(null, "", location.pathname + location.search);

function offer() {
  const failed = h("div", {});
  const act = button("unsub.do", {
    primary: true,
    run: () =>
      void busy(act, async () => {
        failed.replaceChildren();
        try {
          done(await ask("POST", "/v1/notifications/unsubscribe", { body: { token } }));
        } catch (error) {
          failed.replaceChildren(trouble(error));
        }
      }),
  });
  root.replaceChildren(h("section", { class: "card stack" }, said("unsub.confirm", "p"), failed, h("div", { class: "buttons" }, act)));
}

/** @param {{channel?: string}} made */
function done({ channel }) {
  root.replaceChildren(
    h(
      "div",
      { class: "stack wide-gap" },
      notice("neutral", "tick", said("unsub.done", "p", { class: "strong", role: "status" }), channel && said(`unsub.channel.${channel}`, "p"), said("unsub.done.how", "p")),
      h("div", { class: "buttons" }, button("unsub.view", { icon: "clock", href: "/reprint" })),
    ),
  );
}

onLanguage(() => (document.title = t("title.unsubscribe")));
if (token === null) root.replaceChildren(notice("neutral", "question", said("unsub.no_token", "p")));
else offer();

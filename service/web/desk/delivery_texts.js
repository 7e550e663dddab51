/** What pages about deliveries and webhooks say beside the rest: other desks do not load it. */

import { addTexts } from "../../../verifier/web/page/texts.js";
import en from "./texts/deliveries.en.json" with { type: "json" };
import zh from "./texts/deliveries.zh-CN.json" with { type: "json" };

addTexts({ "zh-CN": zh, en });

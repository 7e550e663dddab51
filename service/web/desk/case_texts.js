/** What pages about reprints say beside the rest: other desks do not load it. */

import { addTexts } from "../../../verifier/web/page/texts.js";
import en from "./texts/cases.en.json" with { type: "json" };
import zh from "./texts/cases.zh-CN.json" with { type: "json" };

addTexts({ "zh-CN": zh, en });

/** `/verify`: proof files, PDFs and pictures, read and checked where they are. */

import { answerPlace } from "../../../verifier/web/page/answer_place.js";
import { byId } from "../../../verifier/web/page/dom.js";
import { filesView } from "../../../verifier/web/page/files_view.js";
import { startEndpointsForm } from "./endpoints_form.js";
import { codeOnPaperOf, startPage, surroundings } from "./page.js";
import { otherWay } from "./ways.js";

if (startPage()) {
  const place = answerPlace(byId("answer"), "title.files");
  const next = { key: "action.files", icon: "document", run: () => byId("files").click() };
  filesView(surroundings, place, {
    next,
    other: otherWay,
    code: (_, { answer }) => codeOnPaperOf(answer),
  });
  startEndpointsForm();
}

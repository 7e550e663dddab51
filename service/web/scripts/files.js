/** `/verify`: proof files, PDFs and pictures, read and checked where they are; and receipts, of which the service is asked. */

import { answerPlace } from "../../../verifier/web/page/answer_place.js";
import { byId } from "../../../verifier/web/page/dom.js";
import { filesView } from "../../../verifier/web/page/files_view.js";
import { diagnosisPlace } from "./diagnosis.js";
import { startEndpointsForm } from "./endpoints_form.js";
import { codeOnPaperOf, startPage, surroundings } from "./page.js";
import { receiptItem } from "./receipt_file.js";
import { otherWay } from "./ways.js";

if (startPage()) {
  const place = answerPlace(byId("answer"), "title.files");
  const diagnosis = diagnosisPlace();
  const next = { key: "action.files", icon: "document", run: () => byId("files").click() };
  filesView(surroundings, place, {
    next,
    other: otherWay,
    first: receiptItem,
    begun: diagnosis.clear,
    opened: diagnosis.show,
    code: (_, { answer }) => codeOnPaperOf(answer),
  });
  startEndpointsForm();
}

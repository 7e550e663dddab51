/** Sending a file with its progress, which fetch does not tell of. */

import { answeredBy, headersOf, Refused, Unanswered, UPLOAD_MS } from "./ask.js";

/**
 * @param {string} path @param {File} file @param {string} token @param {(share: number) => void} progress 0 to 1
 * @returns {{done: Promise<any>, stop: () => void}} the answer's JSON
 */
export function sending(path, file, token, progress) {
  const request = new XMLHttpRequest();
  const name = `POST ${path} ${file.size} ${file.name} ${file.lastModified}`;
  const done = new Promise((resolve, reject) => {
    request.open("POST", path);
    for (const [header, value] of Object.entries(headersOf({ method: "POST", name, token, type: file.type })))
      request.setRequestHeader(header, value);
    request.timeout = UPLOAD_MS;
    request.upload.addEventListener("progress", ({ loaded, total }) => progress(total > 0 ? loaded / total : 0));
    request.addEventListener("load", () => {
      answeredBy(request.status, name);
      const said = parsed(request.responseText) ?? { code: `status ${request.status}` };
      if (request.status >= 200 && request.status < 300) resolve(said);
      else reject(new Refused(request.status, said, Number(request.getResponseHeader("retry-after") ?? 0)));
    });
    for (const event of ["error", "timeout", "abort"]) request.addEventListener(event, () => reject(new Unanswered(event)));
    request.send(file);
  });
  return { done, stop: () => request.abort() };
}

/** @param {string} text @returns {any} */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// Adding one picture to the index, and reading what is written about pictures.

import * as api from "/api.js";
import * as pictures from "/pictures.js";

/** what: {image} or {uri}. Resolves with what the person is told. */
export async function add(what, id, written) {
  const answer = await api.upload(what, id, attributes(written));
  if (what.image) pictures.remember(answer.id, what.image);
  return answer.effect
    ? `${answer.id} was searchable after ${answer.after_s.toFixed(2)} s.`
    : `${answer.id} is accepted, and will be searchable later.`;
}

/** Lines of `name: value`; what reads as JSON is that (12.5, true, ["a", "b"]), all else is text. */
export function attributes(text) {
  const lines = text.split("\n").filter((line) => line.trim());
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(":");
      if (at < 1) throw new Error(`An attribute is written "name: value", not "${line.trim()}".`);
      const value = line.slice(at + 1).trim();
      try {
        return [line.slice(0, at).trim(), JSON.parse(value)];
      } catch {
        return [line.slice(0, at).trim(), value];
      }
    }),
  );
}

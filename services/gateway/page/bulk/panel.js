// The panel for many pictures at once: what is about to be added, how far that is, and what became of each.

import { attributes } from "/adding.js";
import { chosen, dropped, sorted } from "/bulk/files.js";
import { send } from "/bulk/sending.js";
import * as pictures from "/pictures.js";

const MOST = 2000;
const SAY_EVERY_MS = 1000;
const $ = (id) => document.getElementById(id);
const count = (number) => number.toLocaleString("en");
const pictureCount = (number) => (number === 1 ? "1 picture" : `${count(number)} pictures`);

/** What is said of a picture in a state; those of `bad` stand first. */
const SAID = {
  waiting: () => "",
  sending: () => "under way",
  accepted: () => "accepted",
  indexed: ({ after_s: seconds }) => `searchable after ${seconds.toFixed(2)} s`,
  superseded: () => "a later one of this name was there before",
  rejected: ({ problem }) => `${problem.code}: ${problem.detail}`,
  refused: ({ problem }) => problem.detail,
  late: () => "taken, and not searchable yet",
  unknown: () => "not known: the connection ended before it was told",
};
const BAD = new Set(["rejected", "refused", "late", "unknown"]);
const DONE = new Set(["accepted", "indexed", "superseded", "rejected", "refused", "late"]);
const ADDED = new Set(["accepted", "indexed", "superseded", "late"]);

let items = []; // {id, file, state, row}
let sending = null; // an AbortController while it is under way
let sayNextAt = 0;
let refused; // called with the problem where a key is needed

export function start(whenRefused) {
  refused = whenRefused;
  for (const id of ["many-files", "many-folder"]) {
    $(id).addEventListener("change", () => {
      offer(chosen($(id).files));
      $(id).value = "";
    });
  }
  $("bulk-start").addEventListener("click", run);
  $("bulk-cancel").addEventListener("click", () => (sending ? sending.abort() : close()));
}

/** What was dropped: returns the picture where it is a single one, for which this is not the place. */
export async function take(transfer) {
  const files = await dropped(transfer, MOST);
  if (files.length === 1 && !files[0].path.includes("/")) return files[0].file;
  if (files.length > 0) offer(files);
  return null;
}

function offer(files) {
  if (sending) {
    $("bulk").focus(); // one after the other
    return;
  }
  const { images, others } = sorted(files);
  const tooMany = files.length > MOST;
  const ids = new Set();
  items = tooMany ? [] : images.filter(({ path }) => !ids.has(path) && ids.add(path)).map(itemOf);
  $("bulk-files").replaceChildren(...items.map(({ row }) => row));
  $("bulk-title").textContent = items.length > 0 ? pictureCount(items.length) : "Nothing to add";
  if (tooMany) {
    say(`More than ${count(MOST)} files, the most at a time. For more, there is "afterimage ingest FOLDER".`, "bad");
  } else if (items.length === 0) {
    say("There is no picture among what was given.", "bad");
  } else {
    say(`Each is named by its path, and replaces one that has that name already.${leftOut(others)}`);
  }
  show({ ready: items.length > 0 });
  $("bulk").hidden = false;
  $("bulk").focus();
}

function leftOut(others) {
  if (others === 0) return "";
  return ` ${others === 1 ? "1 file is no picture" : `${count(others)} files are no pictures`}, and left out.`;
}

function itemOf({ file, path }) {
  const row = $("bulk-file").content.firstElementChild.cloneNode(true);
  row.querySelector(".name").textContent = row.title = path;
  return { id: path, file, state: "waiting", row };
}

async function run() {
  let common;
  try {
    common = attributes($("bulk-attributes").value);
  } catch (error) {
    say(error.message, "bad");
    return;
  }
  sending = new AbortController();
  sayNextAt = 0;
  for (const item of items) if (item.state === "unknown") tell(item, { state: "waiting" });
  const waiting = items.filter(({ state }) => state === "waiting");
  show({ ready: false });
  sayProgress();
  $("bulk-cancel").focus(); // the button that was pressed is gone
  let end = null;
  try {
    await send(waiting, common, { tell, busy: sayProgress, signal: sending.signal });
  } catch (error) {
    end = error;
  }
  sending = null;
  sayEnd(end);
  const rest = items.some(({ state }) => state === "waiting" || state === "unknown");
  show({ ready: rest, again: true });
  $(rest ? "bulk-start" : "bulk-cancel").focus();
}

function tell(item, outcome) {
  item.state = item.row.dataset.state = outcome.state;
  item.row.querySelector(".what").textContent = SAID[outcome.state](outcome);
  if (BAD.has(outcome.state)) $("bulk-files").prepend(item.row);
  if (outcome.state === "indexed") pictures.remember(item.id, item.image);
  if (DONE.has(outcome.state)) item.image = null;
  sayProgress();
}

const having = (states) => items.filter(({ state }) => states.has(state)).length;

/** busy: the problem, while the gateway has too much to do. Said once a second, for those who hear it. */
function sayProgress(busy = null) {
  const done = having(DONE);
  $("bulk-progress").value = done;
  if (!busy && performance.now() < sayNextAt) return;
  sayNextAt = performance.now() + SAY_EVERY_MS;
  const wait = busy ? " The gateway has too much to do: trying again." : "";
  say(`${count(done)} of ${count(items.length)} done.${wait}`, busy ? "busy" : "");
}

function sayEnd(error) {
  const bad = having(new Set(["rejected", "refused"]));
  const rest = items.length - having(DONE);
  const facts = [`${count(having(ADDED))} added`];
  if (bad > 0) facts.push(`${count(bad)} not possible`);
  if (rest > 0) facts.push(`${count(rest)} left`);
  const why = error === null ? "Done" : error.name === "AbortError" ? "Cancelled" : error.message.replace(/\.$/, "");
  say(`${why}: ${facts.join(", ")}.`, error === null && bad === 0 ? "good" : "bad");
  if (error?.status === 401 || error?.status === 403) refused(error);
}

function say(text, kind = "") {
  $("bulk-state").dataset.kind = kind;
  if ($("bulk-state").textContent !== text) $("bulk-state").textContent = text;
}

/** ready: whether there is something that can be sent. again: what is left of it. */
function show({ ready, again = false }) {
  const begun = sending !== null || again;
  $("bulk-start").hidden = !ready;
  $("bulk-start").textContent = again ? "Go on" : `Add ${pictureCount(items.length)}`;
  $("bulk-cancel").textContent = sending || !begun ? "Cancel" : "Close";
  $("bulk-progress").hidden = !begun;
  $("bulk-progress").max = items.length;
  $("bulk-fields").hidden = begun || !ready;
}

function close() {
  items = [];
  $("bulk-files").replaceChildren();
  $("bulk").hidden = true;
  $("query").focus();
}

// The page: what is looked for, what is done with it, and what the person is told.

import { add } from "/adding.js";
import * as api from "/api.js";
import * as bulk from "/bulk/panel.js";
import * as examples from "/examples.js";
import * as filters from "/filters.js";
import * as live from "/live.js";
import { fit } from "/picture.js";
import * as region from "/region.js";
import * as results from "/results.js";

const $ = (id) => document.getElementById(id);
const SOURCES = ["text", "uri", "id"];

const ASK_AGAIN_MS = 10_000;
const SEARCHING = "Searching…";
const START = "Choose a picture to see what looks like it.";
const TITLES = {
  overloaded: "Too much to do at once",
  not_ready: "Not ready yet",
  unreachable: "Not connected",
  no_answer: "No answer in time",
  unknown_id: "Not indexed",
  image_rejected: "This picture cannot be read",
  unsupported: "Not possible here",
  unauthorized: "This takes a key",
  forbidden: "Your key is not for this",
  too_many_requests: "Too many requests",
};

let chosen = null; // what is looked for: {image, region}, {text}, {uri}, {id} or null
let resized = false;
let searching = new AbortController();

function say(text) {
  $("status").textContent = text;
  $("alert").hidden = $("key-form").hidden = true;
}

/** again: what the person may try once more, if anything. */
function complain(error, again = null) {
  $("status").textContent = "";
  const busy = error.status === 503 || error.status === 429;
  $("alert").dataset.kind = busy ? "busy" : "error";
  $("key-form").hidden = error.status !== 401;
  $("alert-title").textContent = TITLES[error.code] ?? "That did not work";
  $("alert-text").textContent = error.status === 503 ? `${error.message}. Try again in a moment.` : error.message;
  $("again").hidden = !again;
  $("again").onclick = again;
  $("alert").hidden = false;
}

/** What fills the place of results where there are none; null where there are some. */
function sayNothingFound(text) {
  $("nothing").hidden = !text;
  $("nothing").lastElementChild.textContent = text ?? "";
}

/** Run what may fail, and tell the person when it did. */
async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    if (error.name !== "AbortError") complain(error, action === search ? () => attempt(search) : null);
    return null;
  }
}

function choose(what, { keep } = {}) {
  chosen = what;
  for (const name of SOURCES) if (name !== keep) $(name).value = what?.[name] ?? "";
  region.clear();
  URL.revokeObjectURL($("preview").src);
  $("picture").hidden = !what?.image;
  $("drop").hidden = Boolean(what?.image);
  if (what?.image) $("preview").src = URL.createObjectURL(what.image);
  else $("file").value = "";
}

async function choosePicture(file) {
  await attempt(async () => {
    const fitted = await fit(file);
    resized = fitted.resized;
    choose({ image: fitted.image });
    examples.clear();
    writeAddress();
  });
  if (chosen?.image) await attempt(search);
}

/** Many pictures are added, one is looked for. */
async function takeFiles(transfer) {
  const picture = await attempt(() => bulk.take(transfer));
  if (picture) await choosePicture(picture);
}

/** Whether words are understood is known once a searcher answers. */
async function offerWords() {
  const { searching } = await api.capabilities().catch(() => ({ searching: null }));
  if (searching) $("text-field").hidden = !searching.text;
  else setTimeout(offerWords, ASK_AGAIN_MS);
}

async function search() {
  filters.show($("filters"), searchNarrowed);
  examples.show($("examples"), searchNarrowed);
  searching.abort();
  if (!chosen && examples.ids().length === 0) {
    $("found").ariaBusy = "false";
    results.show([], {});
    say(START);
    sayNothingFound("What you look for can be a picture of yours, a part of it, or one that is indexed.");
    return;
  }
  searching = new AbortController();
  const { signal } = searching;
  say(SEARCHING);
  sayNothingFound(null);
  results.wait();
  $("found").ariaBusy = "true";
  try {
    const answer = await api.search(chosen, examples.asked(), $("top-k").value, filters.condition(), signal);
    results.show(answer.hits, { like, weigh, narrow, remove });
    const said = $("status").textContent; // what became of an upload meanwhile stays
    if (said === SEARCHING) say(answer.hits.length === 0 ? "Nothing found." : summary(answer));
    sayNothingFound(answer.hits.length === 0 ? reason() : null);
  } catch (error) {
    if (signal.aborted) return;
    results.show([], {});
    throw error;
  } finally {
    if (!signal.aborted) $("found").ariaBusy = "false";
  }
}

function summary({ hits, timings }) {
  const count = hits.length === 1 ? "1 picture" : `${hits.length} pictures`;
  const shrunk = chosen?.image && resized ? " Your picture was made smaller, to 256 KiB, before it was sent." : "";
  const part = chosen?.region ? " like the part" : "";
  return `${count}${part} in ${timings.total_ms.toFixed(0)} ms.${shrunk}`;
}

function reason() {
  if (filters.condition()) return "No picture has all of this: drop a condition.";
  if (chosen?.id || examples.ids().length > 0) return "No other picture is indexed yet.";
  return "Nothing is indexed yet that could be found. Add a picture below, and it can be found a moment later.";
}

async function like(id) {
  choose({ id });
  examples.clear();
  writeAddress();
  $("found").focus(); // the button that was pressed goes away with its card
  await attempt(search);
}

async function weigh(id, weight) {
  examples.set(id, weight);
  await searchNarrowed();
}

async function narrow(name, value) {
  if (filters.add(name, value)) await searchNarrowed();
}

async function searchNarrowed() {
  writeAddress();
  $("found").focus(); // the chip that was pressed may go away
  await attempt(search);
}

async function remove(id) {
  try {
    const answer = await api.remove(id);
    say(answer.effect ? `${id} is deleted.` : `${id} will be deleted: the request is accepted, and takes a while.`);
  } catch (error) {
    complain(error);
    throw error;
  }
}

async function upload() {
  const what = chosen;
  if (!what?.image && !what?.uri) {
    complain(new Error("Choose a picture or an address to add."));
    return;
  }
  say("Adding…");
  say(await add(what, $("new-id").value.trim(), $("attributes").value));
}

/** The address says what is looked for, but for a picture, which only this page has. */
function writeAddress() {
  const state = new URLSearchParams();
  for (const name of SOURCES) if (chosen?.[name]) state.set(name, chosen[name]);
  examples.write(state);
  for (const pair of filters.written()) state.append("only", pair);
  if ($("top-k").value !== $("top-k").defaultValue) state.set("top_k", $("top-k").value);
  const address = `/${state.size ? `?${state}` : ""}`;
  if (address !== location.pathname + location.search) history.pushState(null, "", address);
}

function followAddress() {
  const state = new URLSearchParams(location.search);
  const name = SOURCES.find((source) => state.get(source));
  choose(name ? { [name]: state.get(name) } : null);
  examples.read(state);
  filters.read(state.getAll("only"));
  $("top-k").value = state.get("top_k") ?? $("top-k").defaultValue;
  results.show([], {});
  attempt(search);
}

$("query").addEventListener("submit", (event) => {
  event.preventDefault();
  writeAddress();
  attempt(search);
});
$("upload").addEventListener("click", async () => {
  $("upload").disabled = true;
  await attempt(upload);
  $("upload").disabled = false;
});
$("file").addEventListener("change", () => {
  if ($("file").files[0]) choosePicture($("file").files[0]);
});
for (const name of SOURCES) {
  $(name).addEventListener("input", () => {
    const value = $(name).value.trim();
    choose(value ? { [name]: value } : null, { keep: name });
  });
}
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    $("query").classList.toggle("over", kind === "dragover");
    if (kind === "drop") takeFiles(event.dataTransfer);
  });
}
document.addEventListener("paste", (event) => takeFiles(event.clipboardData));
$("another").addEventListener("click", () => {
  choose(null);
  examples.clear();
  writeAddress();
  $("file").focus();
  attempt(search);
});
region.start(() => {
  chosen = { ...chosen, region: region.value() };
  attempt(search);
});
$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  api.useKey($("key").value.trim());
  $("key").value = "";
  live.listen();
  attempt(search);
});
window.addEventListener("popstate", followAddress);
followAddress();
live.start(like, complain);
bulk.start(complain);
offerWords();

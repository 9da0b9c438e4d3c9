// The live strip: pictures as they become searchable, the newest first.

import { events } from "/api.js";
import * as pictures from "/pictures.js";
import { showVitals } from "/vitals.js";

const SHOWN = 24;
const RETRY_MS = 2000;
const $ = (id) => document.getElementById(id);
const strip = $("arrivals");

let like; // called with the id of a picture that was pressed
let refused; // called with the problem where the gateway lets nobody listen without a key
let lastId = null;
let missed = 0;
let hearing = true; // whether the gateway itself hears what arrives
let waiting = []; // what came while the strip must stand still
let listening = new AbortController();

/** Begin to listen, and go on as long as the page is looked at. */
export function start(whenPressed, whenRefused) {
  like = whenPressed;
  refused = whenRefused;
  $("pause").addEventListener("click", () => {
    const paused = $("pause").ariaPressed !== "true";
    $("pause").ariaPressed = String(paused);
    $("pause").textContent = paused ? "Go on" : "Pause";
    showWaiting();
  });
  strip.addEventListener("pointerleave", showWaiting);
  strip.addEventListener("focusout", () => setTimeout(showWaiting)); // the next one has the focus only then
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) listening.abort();
    else listen();
  });
  if (!document.hidden) listen();
}

export async function listen() {
  listening.abort();
  listening = new AbortController();
  const { signal } = listening;
  while (!signal.aborted) {
    try {
      for await (const { event, id, data } of events("/live", lastId, signal)) {
        lastId = id ?? lastId;
        if (event === "arrivals") take(data);
        if (event === "vitals") {
          hearing = data.hearing;
          showVitals(data);
        }
        sayLive();
      }
      say("broken", "Connecting again…"); // the gateway stops, and is there again soon
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === 401 || error.status === 403) {
        say("broken", "Not allowed");
        refused(error);
        return;
      }
      say("broken", error.status === 503 ? "Overloaded: trying again…" : "Not connected: trying again…");
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function say(state, text) {
  if ($("live-state").dataset.state === state && $("live-state").textContent === text) return;
  $("live-state").dataset.state = state;
  $("live-state").textContent = text;
}

function sayLive() {
  if (!hearing) say("broken", "Waiting for Kafka…");
  else say("live", waiting.length ? `Live: ${waiting.length} more wait` : "Live");
}

function take(batch) {
  missed += batch.missed;
  waiting.push(...batch.arrivals);
  missed += Math.max(0, waiting.length - SHOWN);
  waiting = waiting.slice(-SHOWN);
  if (!mustStandStill()) showWaiting();
}

/** What is about to be pressed must not move away. */
function mustStandStill() {
  return $("pause").ariaPressed === "true" || strip.matches(":hover") || strip.contains(document.activeElement);
}

function showWaiting() {
  if (mustStandStill()) return;
  for (const arrival of waiting) show(arrival);
  waiting = [];
  while (strip.childElementCount > SHOWN) strip.lastElementChild.remove();
  $("none-yet").hidden = strip.childElementCount > 0;
  $("missed").hidden = missed === 0;
  if ($("live-state").dataset.state === "live") sayLive();
  $("missed").textContent = `${missed.toLocaleString("en")} more came that are not shown.`;
}

function show(arrival) {
  for (const item of [...strip.children]) if (item.dataset.id === arrival.id) item.remove();
  if (arrival.kind === "deleted") return;
  const item = $("arrival").content.firstElementChild.cloneNode(true);
  const button = item.querySelector("button");
  item.dataset.id = arrival.id;
  pictures.fill(item.querySelector(".tile"), arrival.id);
  const after = arrival.after_s === null ? "" : seconds(arrival.after_s);
  item.querySelector(".after").textContent = arrival.kind === "rejected" ? arrival.reason : after;
  item.classList.add(arrival.kind);
  button.ariaLabel = `${arrival.id}, searchable ${after && `after ${after}`}: find more like it`;
  button.addEventListener("click", () => like(arrival.id));
  if (arrival.kind === "rejected") {
    button.disabled = true;
    button.ariaLabel = `${arrival.id} was rejected: ${arrival.detail}`;
    item.title = arrival.detail;
  }
  strip.prepend(item);
}

function seconds(value) {
  return value < 10 ? `${value.toFixed(2)} s` : `${Math.round(value).toLocaleString("en")} s`;
}

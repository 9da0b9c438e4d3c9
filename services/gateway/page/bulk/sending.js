// Sending many pictures, some at a time, and hearing what becomes of each.

import * as api from "/api.js";
import { fit } from "/picture.js";

const MOST_BYTES = 3 * 1024 * 1024; // of pictures in a request: what was sent shows soon
const MOST_PICTURES = 64;
const LANES = 2; // one sends while the other waits
const BUSY_MS = 2000;
const BUSY = new Set([429, 503]);

/**
 * Send what `waiting` holds, from its beginning: {id, file}. What is taken from it is told of.
 *
 * tell(item, outcome): as the API's, or {state: "sending"}, {state: "refused", problem} for what cannot be sent, and
 * {state: "unknown"} where the connection broke before it was told. busy(problem): it is tried again; null when it goes
 * on. Throws what ended it, AbortError where that was the signal; what was not sent is in `waiting` then.
 */
export async function send(waiting, attributes, { tell, busy, signal }) {
  const ending = new AbortController(); // what ends one lane ends the other
  const either = AbortSignal.any([signal, ending.signal]);
  const lane = async () => {
    try {
      while (waiting.length > 0) await sendSome(waiting, attributes, tell, busy, either);
    } catch (error) {
      ending.abort();
      throw error;
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: LANES }, lane));
  const errors = ended.filter(({ status }) => status === "rejected").map(({ reason }) => reason);
  if (errors.length > 0) throw errors.find((error) => error.name !== "AbortError") ?? errors[0];
}

async function sendSome(waiting, attributes, tell, busy, signal) {
  const batch = await take(waiting, attributes, tell, signal);
  const untold = new Map(batch.map(({ item }, at) => [at + 1, item]));
  let begun = false;
  try {
    signal.throwIfAborted();
    if (batch.length === 0) return;
    const body = new Blob(batch.map(({ line }) => line), { type: "application/x-ndjson" });
    await patiently(busy, signal, async () => {
      begun = true;
      for await (const { event, data } of api.uploadMany(body, signal)) {
        busy(null);
        if (event === "outcome") {
          tell(untold.get(data.line), data);
          untold.delete(data.line);
        }
        if (event === "done" && data.problem) throw api.problemOf(data.problem);
      }
    });
  } catch (error) {
    if (error.status >= 400 && untold.size === batch.length) begun = false; // it was turned away as a whole
    throw error;
  } finally {
    if (!begun) waiting.unshift(...untold.values());
    for (const item of untold.values()) tell(item, { state: begun ? "unknown" : "waiting" });
  }
}

/** Do it again as long as the gateway is busy. */
async function patiently(busy, signal, act) {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!BUSY.has(error.status)) throw error;
      busy(error);
      await pause(BUSY_MS, signal);
    }
  }
}

/** The next pictures, as lines of the request. */
async function take(waiting, attributes, tell, signal) {
  const batch = [];
  for (let bytes = 0; waiting.length > 0 && batch.length < MOST_PICTURES && bytes < MOST_BYTES && !signal.aborted; ) {
    const item = waiting.shift();
    tell(item, { state: "sending" });
    try {
      const { image } = await fit(item.file);
      batch.push({ item, line: `${JSON.stringify({ id: item.id, data: await api.base64(image), attributes })}\n` });
      item.image = image;
      bytes += image.size;
    } catch (error) {
      tell(item, { state: "refused", problem: { detail: error.message } });
    }
  }
  return batch;
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}

// The gateway's HTTP API, as the page uses it.

const WAIT_S = 20;

/** An answer that is no success. `code` is the problem document's. */
export class Problem extends Error {
  constructor(status, code, detail) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

/** What an answer or an event says went wrong. */
export function problemOf({ status, code, detail }) {
  return new Problem(status, code, detail);
}

const KEY = "afterimage-key";

/** Send this key along from now on, for as long as the tab is open. */
export function useKey(key) {
  sessionStorage.setItem(KEY, key);
}

/** Shard → the highest position that this page was told of: its searches see its own writes. */
const positions = new Map();

/**
 * what: one of {image, region}, {uri}, {id} and {text}, or null; region: [left, top, right, bottom] in shares, or null.
 * others: [{id, weight}] that count as well. filter: a condition, or null.
 */
export async function search(what, others, topK, filter, signal) {
  if (others.length > 0) return searchBySeveral(what, others, topK, filter, signal);
  const query = new URLSearchParams({ top_k: topK });
  if (filter) query.set("filter", JSON.stringify(filter));
  for (const [shard, position] of positions) query.append("min_position", `${shard}:${position}`);
  if (what.image) {
    if (what.region) query.set("region", what.region.join(","));
    const body = new FormData();
    body.set("image", what.image, "image");
    return call(`/search?${query}`, { method: "POST", body, signal });
  }
  const [[name, value]] = Object.entries(what);
  query.set(name, value);
  if (what.id) query.set("exclude", what.id); // it is as near to itself as can be, which nobody asks for
  return call(`/search?${query}`, { signal });
}

async function searchBySeveral(what, others, topK, filter, signal) {
  const first = what?.image ? { image: await base64(what.image), region: what.region ?? undefined } : what;
  const asked = {
    examples: first ? [first, ...others] : others,
    exclude: [first, ...others].flatMap((example) => example?.id ?? []),
    top_k: Number(topK),
    filter: filter ?? undefined,
    min_position: Object.fromEntries(positions),
  };
  const headers = { "content-type": "application/json" };
  return call("/search", { method: "POST", body: JSON.stringify(asked), headers, signal });
}

export async function base64(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** what: {image} or {uri}. Resolves when it is searchable, or else when it is only accepted. */
export async function upload(what, id, attributes) {
  if (what.uri) {
    const body = JSON.stringify({ id: id || what.uri, uri: what.uri, attributes });
    return change("/images", { method: "POST", body, headers: { "content-type": "application/json" } });
  }
  const body = new FormData();
  body.set("image", what.image, "image");
  if (id) body.set("id", id);
  body.set("attributes", JSON.stringify(attributes));
  return change("/images", { method: "POST", body });
}

export async function remove(id) {
  return change(`/images/${encodeURIComponent(id)}`, { method: "DELETE" });
}

/** body: an upload event on each line. Events as of `events`: an `outcome` for each line, and `done`. */
export async function* uploadMany(body, signal) {
  const headers = { "content-type": "application/x-ndjson" };
  const response = await open(`/images/bulk?wait=${WAIT_S}`, { method: "POST", body, headers, signal });
  for await (const event of told(response)) {
    remember(event.data);
    yield event;
  }
}

/** What the service understands, and the limits. */
export async function capabilities() {
  return call("/capabilities", {});
}

async function change(path, options) {
  const answer = await call(`${path}?wait=${WAIT_S}`, options);
  remember(answer);
  return answer;
}

function remember({ shard, position }) {
  if (position !== undefined) positions.set(shard, Math.max(position, positions.get(shard) ?? -1));
}

/** Server-sent events as {event, id, data}, until the stream ends or breaks. lastId: of the last one that was heard. */
export async function* events(path, lastId, signal) {
  yield* told(await open(path, { signal, headers: lastId ? { "last-event-id": lastId } : {} }));
}

async function* told(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const { event, id, data } = Object.fromEntries(block.split("\n").map((line) => line.split(/: ?(.*)/, 2)));
      if (data) yield { event, id, data: JSON.parse(data) }; // a comment, to keep the connection, has none
    }
  }
}

async function call(path, options) {
  return (await open(path, options)).json();
}

async function open(path, options) {
  const key = sessionStorage.getItem(KEY);
  const headers = { ...options.headers, ...(key && { authorization: `Bearer ${key}` }) };
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "unreachable", "The gateway cannot be reached.");
  }
  if (!response.ok) {
    const body = await response.json().catch(() => ({}));
    throw new Problem(response.status, body.code, body.detail ?? response.statusText);
  }
  return response;
}

// Other indexed pictures that hits should look like as well, or should not look like.

import { chip } from "/filters.js";

/** id → its weight: 1, or -1 for what hits should not look like. */
const weights = new Map();
const MOST = 31;

export function set(id, weight) {
  if (weights.size < MOST || weights.has(id)) weights.set(id, weight);
}

export function clear() {
  weights.clear();
}

export function ids() {
  return [...weights.keys()];
}

/** As the API takes them. */
export function asked() {
  return [...weights].map(([id, weight]) => ({ id, weight }));
}

/** For the address of the page: writes them into `state`. */
export function write(state) {
  for (const [id, weight] of weights) state.append(weight > 0 ? "like" : "unlike", id);
}

export function read(state) {
  clear();
  for (const id of state.getAll("like")) set(id, 1);
  for (const id of state.getAll("unlike")) set(id, -1);
}

/** Draws them into `list`, each with a way to drop it; `changed` is called when one went. */
export function show(list, changed) {
  list.hidden = weights.size === 0;
  list.replaceChildren(
    ...[...weights].map(([id, weight]) => {
      const text = `${weight > 0 ? "also like" : "not like"} ${id}`;
      const item = chip(text, () => {
        weights.delete(id);
        changed();
      });
      item.firstChild.classList.add("held", weight > 0 ? "wanted" : "unwanted");
      item.firstChild.ariaLabel = `No longer ${text}`;
      return item;
    }),
  );
}

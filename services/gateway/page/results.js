// The grid of results.

import { attributeChips } from "/filters.js";
import * as pictures from "/pictures.js";

const SURE_MS = 4000;
const list = document.querySelector("#results");
const template = document.querySelector("#card");

const GHOSTS = 6;

/** Where nothing is shown yet, outlines of what will be. */
export function wait() {
  if (list.childElementCount > 0) return;
  const ghost = () => Object.assign(document.createElement("li"), { className: "ghost", ariaHidden: "true" });
  list.replaceChildren(...Array.from({ length: GHOSTS }, ghost));
}

/** actions: like(id), weigh(id, weight), narrow(name, value) and remove(id), which resolves when the picture is gone. */
export function show(hits, actions) {
  list.replaceChildren(...hits.map((hit) => card(hit, actions)));
}

function card(hit, actions) {
  const item = template.content.firstElementChild.cloneNode(true);
  const part = (name) => item.querySelector(name);
  pictures.fill(part(".tile"), hit.id, hit.thumbnail, reasonForNone(hit));
  part(".bar").style.setProperty("--share", `${Math.max(0, hit.score) * 100}%`);
  part(".number").textContent = hit.score.toFixed(3);
  part(".id").textContent = part(".id").title = hit.id;
  part(".attributes").append(...attributeChips(hit.attributes, actions.narrow));
  part(".like").setAttribute("aria-label", `More like ${hit.id}`);
  part(".like").addEventListener("click", () => actions.like(hit.id));
  part(".also").setAttribute("aria-label", `Also like ${hit.id}`);
  part(".also").addEventListener("click", () => actions.weigh(hit.id, 1));
  part(".unlike").setAttribute("aria-label", `Not like ${hit.id}`);
  part(".unlike").addEventListener("click", () => actions.weigh(hit.id, -1));
  if (/^https?:\/\//i.test(hit.uri ?? "")) {
    part(".open").href = hit.uri;
    part(".open").hidden = false;
  }
  armDelete(part(".delete"), hit.id, async () => {
    await actions.remove(hit.id);
    pictures.forget(hit.id);
    focusNeighbour(item);
    item.remove();
  });
  return item;
}

function reasonForNone({ uri }) {
  return uri ? "This gateway shows no pictures." : "It was sent without an address, and its picture is not kept.";
}

/** The first press asks, the second one does it. */
function armDelete(button, id, act) {
  let timer;
  const disarm = () => {
    clearTimeout(timer);
    button.classList.remove("sure");
    button.textContent = "Delete";
    button.ariaLabel = `Delete ${id}`;
  };
  disarm();
  button.addEventListener("blur", disarm);
  button.addEventListener("click", async () => {
    if (!button.classList.contains("sure")) {
      button.classList.add("sure");
      button.textContent = "Really delete?";
      button.ariaLabel = `Really delete ${id}?`;
      timer = setTimeout(disarm, SURE_MS);
      return;
    }
    disarm();
    button.disabled = true;
    await act().catch(() => {}).finally(() => { button.disabled = false; });
  });
}

function focusNeighbour(item) {
  (item.nextElementSibling ?? item.previousElementSibling)?.querySelector(".like").focus();
}

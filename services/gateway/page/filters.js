// What the results are narrowed to: pairs of an attribute and its value, all of which hold.

/** [[name, value], …] */
let pairs = [];

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** Returns whether the pair is new. */
export function add(name, value) {
  if (pairs.some((pair) => same(pair, [name, value]))) return false;
  pairs.push([name, value]);
  return true;
}

/** The condition as the API takes it, or null. */
export function condition() {
  if (pairs.length === 0) return null;
  return { $and: pairs.map(([name, value]) => ({ [name]: value })) };
}

/** For the address of the page. */
export function written() {
  return pairs.map((pair) => JSON.stringify(pair));
}

/** texts: what `written` gave; what does not read as a pair is left out, for anybody may write an address. */
export function read(texts) {
  pairs = [];
  for (const text of texts) {
    try {
      const [name, value] = JSON.parse(text);
      if (typeof name === "string" && (value === null || typeof value !== "object")) add(name, value);
    } catch {
      continue;
    }
  }
}

/** Draws the conditions into `list`, each with a way to drop it; `changed` is called when one went. */
export function show(list, changed) {
  list.hidden = pairs.length === 0;
  list.replaceChildren(
    ...pairs.map((pair) => {
      const item = chip(label(...pair), () => {
        pairs = pairs.filter((other) => other !== pair);
        changed();
      });
      item.firstChild.classList.add("held");
      item.firstChild.ariaLabel = `No longer only ${label(...pair)}`;
      return item;
    }),
  );
}

/** One chip for each value: a list has several. Pressing it calls narrow(name, value). */
export function attributeChips(attributes, narrow) {
  return Object.entries(attributes).flatMap(([name, value]) =>
    [value].flat().map((one) => {
      const item = chip(label(name, one), () => narrow(name, one));
      item.firstChild.ariaLabel = `Only ${label(name, one)}`;
      return item;
    }),
  );
}

function label(name, value) {
  return `${name}: ${value}`;
}

/** A list's item with a button; pressing it calls act(). */
export function chip(text, act) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  button.addEventListener("click", act);
  item.append(button);
  return item;
}

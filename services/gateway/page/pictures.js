// The pictures that this page can show: those that were sent from it.

const KEPT = 200;

/** The address of a picture, by its id. */
const addresses = new Map();

export function remember(id, image) {
  forget(id);
  addresses.set(id, URL.createObjectURL(image));
  if (addresses.size > KEPT) forget(addresses.keys().next().value);
  for (const tile of document.querySelectorAll(".tile")) if (tile.dataset.id === id) fill(tile, id);
}

export function forget(id) {
  URL.revokeObjectURL(addresses.get(id));
  addresses.delete(id);
}

/** Show the picture in a tile; its id, where the page does not have it. */
export function fill(tile, id) {
  const [image, label] = tile.children;
  tile.dataset.id = id;
  label.textContent = id;
  if (!addresses.has(id)) return;
  image.src = addresses.get(id);
  image.alt = tile.closest("button") ? "" : id; // the button says it already
  image.hidden = false;
  label.hidden = true;
}

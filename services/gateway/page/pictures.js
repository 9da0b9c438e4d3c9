// The pictures that this page can show: those that were sent from it, and those that the gateway shows small.

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

/** Show the picture in a tile; its id, where there is none to show. small: its address at the gateway, if it has one. */
export function fill(tile, id, small) {
  const [image, label] = tile.children;
  const show = (shown) => {
    image.hidden = !shown;
    label.hidden = shown;
  };
  tile.dataset.id = id;
  label.textContent = id;
  const address = addresses.get(id) ?? small;
  if (!address) return;
  image.addEventListener("error", () => show(false), { once: true });
  image.src = address;
  image.alt = tile.closest("button") ? "" : id; // the button says it already
  show(true);
}

// The pictures that this page can show: those that were sent from it, and those that the gateway shows small.

const KEPT = 200;

/** The address of a picture, by its id. */
const addresses = new Map();

export function remember(id, image) {
  forget(id);
  addresses.set(id, URL.createObjectURL(image));
  if (addresses.size > KEPT) forget(addresses.keys().next().value);
  for (const tile of document.querySelectorAll(".tile")) if (tile.dataset.id === id) fill(tile, id, null);
}

export function forget(id) {
  URL.revokeObjectURL(addresses.get(id));
  addresses.delete(id);
}

/**
 * Show the picture in a tile; what stands in its place, where there is none to show.
 *
 * small: its address at the gateway, if it has one. instead: the text for want of a picture; its id, if not given.
 */
export function fill(tile, id, small, instead = id) {
  const [image, place] = tile.children;
  const show = (shown) => {
    image.hidden = !shown;
    place.hidden = shown;
  };
  tile.dataset.id = id;
  const text = place.lastElementChild ?? place;
  text.textContent = instead;
  const address = addresses.get(id) ?? small;
  if (!address) return;
  image.addEventListener("error", () => {
    if (instead !== id) text.textContent = "Its picture cannot be read any more.";
    show(false);
  }, { once: true });
  image.src = address;
  image.alt = tile.closest("button") ? "" : id; // the button says it already
  show(true);
}

// The part of the picture that counts: a box over it, drawn by mouse, finger or keys.

const LEAST = 0.04; // of a side: what is smaller was a slip of the hand
const STEP = 0.02;
const REST_MS = 400; // after the last key
const MIDDLE = { left: 0.25, top: 0.25, right: 0.75, bottom: 0.75 };
const ARROWS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };

const $ = (id) => document.getElementById(id);
const stage = $("stage");
const part = $("part");

let box = null; // {left, top, right, bottom} in shares of the picture's sides; null for all of it
let drag = null; // {before, follow(point)} while a pointer is down
let timer;
let changed; // called when the box is another

/** [left, top, right, bottom], or null for the whole picture. */
export function value() {
  return box && [box.left, box.top, box.right, box.bottom];
}

export function clear() {
  clearTimeout(timer);
  place(null);
}

export function start(whenChanged) {
  changed = whenChanged;
  stage.addEventListener("pointerdown", grasp);
  stage.addEventListener("pointermove", (event) => drag && place(drag.follow(pointOf(event))));
  stage.addEventListener("pointerup", release);
  stage.addEventListener("pointercancel", () => {
    if (drag) place(drag.before);
    drag = null;
  });
  part.addEventListener("keydown", press);
  $("part-button").addEventListener("click", () => {
    place(box ? null : MIDDLE);
    if (box) part.focus();
    changed();
  });
  place(null);
}

function grasp(event) {
  if (event.button !== 0 || drag) return;
  event.preventDefault();
  stage.setPointerCapture(event.pointerId);
  const at = pointOf(event);
  drag = { before: box, follow: following(event.target, at) };
}

/** What the box becomes as the pointer moves: from a corner, as a whole, or drawn anew. */
function following(target, at) {
  const from = box;
  const corner = target.dataset.corner;
  if (corner) {
    const [vertical, horizontal] = corner.split("-");
    const fixed = { x: from[horizontal === "left" ? "right" : "left"], y: from[vertical === "top" ? "bottom" : "top"] };
    return (to) => between(fixed, to);
  }
  if (target === part) return (to) => moved(from, to.x - at.x, to.y - at.y);
  return (to) => between(at, to);
}

function release(event) {
  if (!drag) return;
  const { before } = drag;
  place(drag.follow(pointOf(event)));
  drag = null;
  if (box && (box.right - box.left < LEAST || box.bottom - box.top < LEAST)) place(null);
  if (JSON.stringify(box) !== JSON.stringify(before)) changed();
}

function press(event) {
  if (event.key === "Escape" || event.key === "Delete") {
    clear();
    $("part-button").focus();
    changed();
  } else if (event.key in ARROWS) {
    const [x, y] = ARROWS[event.key];
    place(event.shiftKey ? resized(box, x, y) : moved(box, x, y));
    clearTimeout(timer);
    timer = setTimeout(changed, REST_MS);
  } else {
    return;
  }
  event.preventDefault();
}

const within = (share) => Math.min(1, Math.max(0, share));

function pointOf(event) {
  const { left, top, width, height } = stage.getBoundingClientRect();
  return { x: within((event.clientX - left) / width), y: within((event.clientY - top) / height) };
}

function between(one, other) {
  return {
    left: Math.min(one.x, other.x),
    top: Math.min(one.y, other.y),
    right: Math.max(one.x, other.x),
    bottom: Math.max(one.y, other.y),
  };
}

function moved({ left, top, right, bottom }, x, y) {
  const dx = Math.min(1 - right, Math.max(-left, x));
  const dy = Math.min(1 - bottom, Math.max(-top, y));
  return { left: left + dx, top: top + dy, right: right + dx, bottom: bottom + dy };
}

function resized({ left, top, right, bottom }, x, y) {
  return { left, top, right: within(Math.max(left + LEAST, right + x)), bottom: within(Math.max(top + LEAST, bottom + y)) };
}

function place(next) {
  box = next;
  part.hidden = !box;
  $("part-button").textContent = box ? "Whole picture" : "Search by a part";
  $("part-said").textContent = box ? said() : "Drag a box over the part that counts.";
  if (!box) return;
  part.ariaLabel = `${said()} Arrow keys move it, with Shift they resize it; Escape takes the whole picture.`;
  for (const side of ["left", "top"]) part.style.setProperty(side, percent(box[side]));
  part.style.setProperty("width", percent(box.right - box.left));
  part.style.setProperty("height", percent(box.bottom - box.top));
}

function percent(share) {
  return `${(100 * share).toFixed(2)}%`;
}

function said() {
  const whole = (share) => Math.round(100 * share);
  const size = `${whole(box.right - box.left)} % wide and ${whole(box.bottom - box.top)} % high`;
  return `A part ${size}, ${whole(box.left)} % from the left and ${whole(box.top)} % from the top.`;
}

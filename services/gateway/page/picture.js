// Making a picture small enough to be sent inline.

const MAX_BYTES = 256 * 1024;
const SIDES = [1600, 1024, 640];

/** The file itself where it fits, else a smaller copy of it. */
export async function fit(file) {
  if (file.size <= MAX_BYTES) return { image: file, resized: false };
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error("This picture is larger than 256 KiB and of a kind that the browser cannot shrink: give its address.");
  }
  for (const side of SIDES) {
    const image = await scaled(bitmap, side);
    if (image.size <= MAX_BYTES) return { image, resized: true };
  }
  throw new Error("This picture does not fit into 256 KiB: give its address.");
}

function scaled(bitmap, side) {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
}

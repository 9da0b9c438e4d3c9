// What was dropped or chosen, as files with their paths.

/** The files of a drop, those in its folders too, up to one more than `most`. To be called while the event lasts. */
export async function dropped(transfer, most) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0) return chosen(transfer.files); // dropped by a program, not from a folder
  const found = [];
  for (const entry of entries) await collect(entry, found, most);
  return found;
}

/** Of a field for files, or for a folder. */
export function chosen(list) {
  return [...list].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/** Apart from each other: what may be a picture, by its type, and how many may not. */
export function sorted(files) {
  const images = files.filter(({ file }) => file.type.startsWith("image/"));
  return { images, others: files.length - images.length };
}

async function collect(entry, found, most) {
  if (found.length > most) return;
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    found.push({ file, path: entry.fullPath.replace(/^\//, "") });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // a hundred at a time
    if (some.length === 0) return;
    for (const each of some) await collect(each, found, most);
  }
}

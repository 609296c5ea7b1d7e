// What a picture file says beside its pixels: its kind, how it lies, and whether its colours have a profile.

const KINDS = [
  ["png", "89504e470d0a1a0a", 0],
  ["jpeg", "ffd8ff", 0],
  ["webp", "57454250", 8],
  ["gif", "47494638", 0],
  ["bmp", "424d", 0],
  ["tiff", "49492a00", 0],
  ["tiff", "4d4d002a", 0],
  ["avif", "6674797061766966", 4],
  ["heic", "66747970", 4],
];

function kindOf(bytes) {
  const hex = (from, count) =>
    Array.from(bytes.subarray(from, from + count), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return (KINDS.find(([, begin, at]) => hex(at, begin.length / 2) === begin) ?? ["unknown"])[0];
}

const textIn = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));

// The parts of a file, each {name, from, to} of its content.
function* partsOf(bytes, kind) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (kind === "png") {
    for (let at = 8; at + 12 <= bytes.length; ) {
      const length = view.getUint32(at), from = at + 8;
      yield { name: textIn(bytes, at + 4, at + 8), from, to: Math.min(from + length, bytes.length) };
      at = from + length + 4;
    }
  } else if (kind === "webp") {
    for (let at = 12; at + 8 <= bytes.length; ) {
      const length = view.getUint32(at + 4, true), from = at + 8;
      yield { name: textIn(bytes, at, at + 4), from, to: Math.min(from + length, bytes.length) };
      at = from + length + (length % 2);
    }
  } else if (kind === "jpeg") {
    for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda; ) {
      if (bytes[at + 1] === 0xff) { // padding
        at++;
        continue;
      }
      const length = view.getUint16(at + 2);
      yield { name: bytes[at + 1].toString(16), from: at + 4, to: Math.min(at + 2 + length, bytes.length) };
      at += 2 + Math.max(length, 2);
    }
  }
}

// The orientation, 1 to 8, in a block of EXIF; 1 where it is silent or cannot be read.
function exifOrientation(bytes) {
  let from = 0;
  while (textIn(bytes, from, from + 6) === "Exif\0\0") from += 6;
  const view = new DataView(bytes.buffer, bytes.byteOffset + from, bytes.length - from);
  if (view.byteLength < 14 || ![0x4949, 0x4d4d].includes(view.getUint16(0))) return 1;
  const little = view.getUint16(0) === 0x4949, at = view.getUint32(4, little);
  if (at + 2 > view.byteLength) return 1;
  const count = view.getUint16(at, little);
  for (let entry = at + 2; entry < at + 2 + 12 * count && entry + 12 <= view.byteLength; entry += 12) {
    if (view.getUint16(entry, little) !== 0x0112 || view.getUint32(entry + 4, little) !== 1) continue;
    const read = { 1: "getUint8", 3: "getUint16", 4: "getUint32" }[view.getUint16(entry + 2, little)];
    const value = read ? view[read](entry + 8, little) : 1;
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

// How the stored pixels lie, and whether a profile says that their colours are not sRGB. What tells browsers how they
// lie is made unreadable: they do not all heed it, and here it is done in one place.
function readMetadata(bytes, kind) {
  let exif = 1, xmp = 1, profile = false;
  for (const { name, from, to } of partsOf(bytes, kind)) {
    const content = bytes.subarray(from, to), begin = textIn(content, 0, 32);
    if (name === "eXIf" || name === "EXIF" || (name === "e1" && begin.startsWith("Exif\0\0"))) {
      exif = exifOrientation(content);
      const mark = name === "e1" ? from : from - (kind === "png" ? 4 : 8);
      bytes.set([110, 111, 110, 101], mark); // "none"
    } else if (name === "XMP " || name === "iTXt" || (name === "e1" && begin.startsWith("http://ns.adobe.com/xap"))) {
      const found = /tiff:Orientation(?:="|>)([1-8])/.exec(new TextDecoder("latin1").decode(content));
      if (found) xmp = Number(found[1]);
    } else if (name === "iCCP" || name === "ICCP" || (name === "e2" && begin.startsWith("ICC_PROFILE"))) {
      // Nearly every profile is sRGB's own, by whatever maker; its description says so.
      profile ||= !/s.?R.?G.?B/.test(new TextDecoder("latin1").decode(content));
    }
  }
  return { orientation: exif !== 1 ? exif : xmp, profile };
}

// A JPEG file's coefficients (ITU-T T.81), baseline and progressive, of grey, YCbCr and RGB pictures. What is beyond that,
// or damaged, is left to the browser.

const ZIGZAG = Uint8Array.of(
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55,
  62, 63);

class Unusual extends Error {}

function need(good) {
  if (!good) throw new Unusual();
}

// {width, height, plain, parts: [{across, down, columns, rows, quant, numbers}]}: whether the colours are RGB's own; for every
// part its sampling, its blocks and their 64 numbers each, row by row. Raises Unusual.
function readJpeg(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const quants = [], codes = { dc: [], ac: [] };
  let at = 2, frame = null, interval = 0, adobe = null, jfif = false;
  for (;;) {
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++; // padding
    need(at + 4 <= bytes.length ? bytes[at] === 0xff : frame?.complete());
    const mark = bytes[at + 1];
    if (at + 4 > bytes.length || mark === 0xd9) break;
    const from = at + 4, to = at + 2 + view.getUint16(at + 2);
    need(to >= from && to <= bytes.length);
    if (mark === 0xdb) readQuants(bytes, view, from, to, quants);
    else if (mark === 0xc4) readCodes(bytes, from, to, codes);
    else if (mark === 0xdd) interval = view.getUint16(from);
    else if (mark === 0xe0 && textIn(bytes, from, from + 5) === "JFIF\0") jfif = true;
    else if (mark === 0xee && textIn(bytes, from, from + 5) === "Adobe") adobe = bytes[from + 11];
    else if (mark >= 0xc0 && mark <= 0xcf && mark !== 0xc8) {
      need(mark <= 0xc2 && !frame);
      frame = new Frame(bytes, view, from, mark === 0xc2);
    }
    at = to;
    if (mark === 0xda) {
      need(frame);
      const scan = frame.scan(bytes, from, quants, codes);
      at = readScan(bytes, to, frame, scan, interval);
    }
  }
  need(frame?.complete());
  // As libjpeg guesses where neither header says so.
  const named = String.fromCharCode(...frame.parts.map((part) => part.id));
  frame.plain = frame.parts.length === 3 && !jfif && (adobe === null ? named === "RGB" : adobe === 0);
  return frame;
}

function readQuants(bytes, view, at, to, quants) {
  while (at < to) {
    const wide = bytes[at] >> 4, table = new Int32Array(64);
    for (let k = 0; k < 64; k++) table[ZIGZAG[k]] = wide ? view.getUint16(at + 1 + 2 * k) : bytes[at + 1 + k];
    quants[bytes[at] & 15] = table;
    at += 1 + 64 * (wide ? 2 : 1);
  }
}

// Of each table what any 16 bits begin with: the code's length and its symbol.
function readCodes(bytes, at, to, codes) {
  while (at < to) {
    const table = new Uint16Array(65536), counts = bytes.subarray(at + 1, at + 17);
    let symbol = at + 17, place = 0;
    for (let length = 1; length <= 16; length++) for (let i = 0; i < counts[length - 1]; i++) {
      const end = place + (1 << (16 - length));
      need(end <= 65536 && symbol < to);
      table.fill((length << 8) | bytes[symbol++], place, end);
      place = end;
    }
    codes[bytes[at] >> 4 ? "ac" : "dc"][bytes[at] & 15] = table;
    at = symbol;
  }
}

class Frame {
  constructor(bytes, view, at, progressive) {
    [this.height, this.width] = [view.getUint16(at + 1), view.getUint16(at + 3)];
    const count = bytes[at + 5];
    need(bytes[at] === 8 && this.height && this.width && (count === 1 || count === 3));
    needPixels(this.width, this.height);
    this.progressive = progressive;
    this.parts = Array.from({ length: count }, (_, i) => {
      const [id, sampling, table] = bytes.subarray(at + 6 + 3 * i);
      // One part alone has blocks one after the other, whatever it says.
      return { id, across: count > 1 ? sampling >> 4 : 1, down: count > 1 ? sampling & 15 : 1, table, last: 0, known: 0 };
    });
    need(this.parts.every(({ across, down }) => across >= 1 && across <= 4 && down >= 1 && down <= 4));
    this.across = Math.max(...this.parts.map((part) => part.across));
    this.down = Math.max(...this.parts.map((part) => part.down));
    this.columns = Math.ceil(this.width / (8 * this.across));
    this.rows = Math.ceil(this.height / (8 * this.down));
    for (const part of this.parts) {
      part.columns = this.columns * part.across;
      part.rows = this.rows * part.down;
      part.numbers = new Int16Array(64 * part.columns * part.rows);
    }
  }

  // What one scan brings: which parts, which of their 64 numbers, and which bits of those.
  scan(bytes, at, quants, codes) {
    const count = bytes[at], parts = [];
    for (let i = 0; i < count; i++) {
      const part = this.parts.find((one) => one.id === bytes[at + 1 + 2 * i]), tables = bytes[at + 2 + 2 * i];
      need(part && !parts.includes(part));
      part.quant ??= quants[part.table];
      parts.push(Object.assign(part, { dc: codes.dc[tables >> 4], ac: codes.ac[tables & 15] }));
    }
    const [first, end, bits] = bytes.subarray(at + 1 + 2 * count);
    const scan = this.progressive
      ? { parts, first, end, before: bits >> 4, low: bits & 15 }
      : { parts, first: 0, end: 63, before: 0, low: 0 };
    need(count >= 1 && parts.every((part) => part.quant) && scan.end <= 63 && scan.first <= scan.end);
    need(!this.progressive || (scan.first ? count === 1 : scan.end === 0));
    need(parts.every((part) => (scan.first > 0 || scan.before > 0 || part.dc) && (scan.end === 0 || part.ac)));
    if (!scan.low) for (const part of parts) part.known += scan.end - scan.first + 1;
    return scan;
  }

  // Whether all bits of all numbers have come.
  complete() {
    return this.parts.every((part) => part.known >= 64);
  }
}

// The blocks of one scan; where its bytes end.
function readScan(bytes, at, frame, { parts, first, end, before, low }, interval) {
  const one = 1 << low;
  let buffer = 0, held = 0, missing = 0, run = 0; // run: blocks of which nothing more comes

  function fill() {
    while (held < 16) {
      let byte = 0;
      if (bytes[at] === 0xff && bytes[at + 1] !== 0) missing++; // a mark: there are no more bits
      else if (at >= bytes.length) missing++;
      else {
        byte = bytes[at];
        at += byte === 0xff ? 2 : 1;
      }
      buffer = ((buffer << 8) | byte) & 0xffffff;
      held += 8;
    }
  }

  function take(count) {
    if (!count) return 0;
    fill();
    held -= count;
    return (buffer >> held) & ((1 << count) - 1);
  }

  function decoded(table) {
    fill();
    const found = table[(buffer >> (held - 16)) & 0xffff];
    need(found);
    held -= found >> 8;
    return found & 255;
  }

  // A number of so many bits, of which the smaller half is negative.
  function signed(count) {
    need(count <= 15);
    const value = take(count);
    return count && value < 1 << (count - 1) ? value - (1 << count) + 1 : value;
  }

  function readBlock(part, place) {
    const { numbers } = part;
    if (!first) {
      if (before) numbers[place] |= take(1) << low;
      else numbers[place] = (part.last += signed(decoded(part.dc))) << low;
    }
    if (!end) return;
    if (before) refine(part, place);
    else if (run) run--;
    else for (let k = Math.max(first, 1); k <= end; k++) {
      const symbol = decoded(part.ac), zeros = symbol >> 4, count = symbol & 15;
      if (!count && zeros < 15) {
        need(frame.progressive || !zeros);
        run = (1 << zeros) - 1 + take(zeros);
        break;
      }
      k += zeros;
      need(k <= end);
      if (count) numbers[place + ZIGZAG[k]] = signed(count) << low;
    }
  }

  // One bit more of numbers that are known, and numbers that begin with this bit (T.81, G.1.2.3).
  function refine({ numbers, ac }, place) {
    let k = first;
    const more = (at) => {
      if (take(1) && !(numbers[at] & one)) numbers[at] += numbers[at] > 0 ? one : -one;
    };
    for (; !run && k <= end; k++) {
      const symbol = decoded(ac);
      let zeros = symbol >> 4, value = 0;
      if (symbol & 15) value = take(1) ? one : -one;
      else if (zeros < 15) {
        run = (1 << zeros) + take(zeros);
        break;
      }
      for (; k <= end; k++) {
        const next = place + ZIGZAG[k];
        if (numbers[next]) more(next);
        else if (zeros-- === 0) {
          numbers[next] = value;
          break;
        }
      }
    }
    if (!run) return;
    for (; k <= end; k++) if (numbers[place + ZIGZAG[k]]) more(place + ZIGZAG[k]);
    run--;
  }

  const alone = parts.length === 1 ? parts[0] : null;
  const columns = alone ? Math.ceil((frame.width * alone.across) / (8 * frame.across)) : frame.columns;
  const rows = alone ? Math.ceil((frame.height * alone.down) / (8 * frame.down)) : frame.rows;
  for (const part of parts) part.last = 0;
  for (let unit = 0; unit < columns * rows; unit++) {
    if (interval && unit && unit % interval === 0) {
      need(8 * missing <= held && bytes[at] === 0xff && bytes[at + 1] >= 0xd0 && bytes[at + 1] <= 0xd7);
      at += 2;
      buffer = held = missing = run = 0;
      for (const part of parts) part.last = 0;
    }
    const row = Math.floor(unit / columns), column = unit % columns;
    if (alone) readBlock(alone, 64 * (row * alone.columns + column));
    else for (const part of parts) for (let y = 0; y < part.down; y++) for (let x = 0; x < part.across; x++) {
      readBlock(part, 64 * ((row * part.down + y) * part.columns + column * part.across + x));
    }
  }
  need(8 * missing <= held); // no more bits were taken than there are
  while (at < bytes.length && !(bytes[at] === 0xff && bytes[at + 1] !== 0)) at++;
  return at;
}

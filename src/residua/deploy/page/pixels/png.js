// PNG decoded to the very bytes: browsers may change colours and round those that are transparent. PNG Specification,
// third edition (W3C 2025); what is left open there is as Pillow has it.

const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }; // by colour type: grey, colour, palette, both with transparency
// Where the seven passes of interlaced pictures begin, and how far their pixels lie apart: x, y, across, down.
const PASSES = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];

// {width, height, data}: four bytes a pixel, red, green, blue and how opaque.
async function decodePng(bytes) {
  const chunks = {};
  for (const { name, from, to } of partsOf(bytes, "png")) (chunks[name] ??= []).push(bytes.subarray(from, to));
  const header = chunks.IHDR[0], view = new DataView(header.buffer, header.byteOffset, header.length);
  const [width, height] = [view.getUint32(0), view.getUint32(4)], [bits, type, , , interlaced] = header.subarray(8);
  if (!(type in CHANNELS) || !width || !height) throw new Error("damaged");
  needPixels(width, height);
  const channels = CHANNELS[type], passes = interlaced ? PASSES : [[0, 0, 1, 1]];
  const parts = passes.map(([x, y, across, down]) => {
    const columns = Math.ceil((width - x) / across), rows = Math.ceil((height - y) / down);
    return { x, y, across, down, columns, rows, stride: Math.ceil((columns * channels * bits) / 8) };
  }).filter(({ columns, rows }) => columns > 0 && rows > 0);
  const needed = parts.reduce((sum, { rows, stride }) => sum + rows * (stride + 1), 0);
  const raw = await inflate(chunks.IDAT ?? [], needed);
  const colours = colourReader(type, bits, chunks.PLTE?.[0], chunks.tRNS?.[0]);
  const data = new Uint8Array(4 * width * height), step = Math.max(1, (channels * bits) >> 3);
  let at = 0;
  for (const { x, y, across, down, columns, rows, stride } of parts) {
    let above = new Uint8Array(stride);
    for (let row = 0; row < rows; row++, at += stride + 1) {
      const line = raw.subarray(at + 1, at + 1 + stride);
      unfilter(raw[at], line, above, step);
      above = line;
      for (let column = 0; column < columns; column++) {
        colours(line, column, data, 4 * ((y + row * down) * width + x + column * across));
      }
    }
  }
  return { width, height, data };
}

// The first `needed` bytes of a zlib stream in pieces.
async function inflate(pieces, needed) {
  const reader = new Blob(pieces).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const raw = new Uint8Array(needed);
  let length = 0;
  while (length < needed) {
    const { done, value } = await reader.read();
    if (done) throw new Error("truncated");
    raw.set(value.subarray(0, needed - length), length);
    length += value.length;
  }
  reader.cancel().catch(() => {});
  return raw;
}

// What a row's filter took away is added again (section 9); step: bytes of a pixel.
function unfilter(filter, line, above, step) {
  for (let i = 0; i < line.length; i++) {
    const a = i < step ? 0 : line[i - step], b = above[i], c = i < step ? 0 : above[i - step];
    if (filter === 1) line[i] += a;
    else if (filter === 2) line[i] += b;
    else if (filter === 3) line[i] += (a + b) >> 1;
    else if (filter === 4) {
      const toA = Math.abs(b - c), toB = Math.abs(a - c), toC = Math.abs(a + b - 2 * c);
      line[i] += toA <= toB && toA <= toC ? a : toB <= toC ? b : c;
    } else if (filter > 4) throw new Error("damaged");
  }
}

// A function (row, column, data, place) that writes a pixel of the row as four bytes.
function colourReader(type, bits, palette, clear) {
  const deep = bits === 16, first = deep ? 2 : 1; // of colours of 16 bits the first byte counts
  const clearAt = (i) => (clear && clear.length >= 2 * i + 2 ? clear[2 * i] * 256 + clear[2 * i + 1] : -1);
  if (type === 3 || bits < 8) {
    // What is clear is compared to eight bits by Pillow, and so here.
    const most = 2 ** bits - 1, grey = bits === 1 && clearAt(0) > 0 ? 255 : clearAt(0);
    return (row, column, data, at) => {
      const value = (row[(column * bits) >> 3] >> (8 - bits - ((column * bits) & 7))) & most;
      if (type === 0) {
        const level = (value * 255) / most;
        data.fill(level, at, at + 3);
        data[at + 3] = level === grey ? 0 : 255;
        return;
      }
      for (let i = 0; i < 3; i++) data[at + i] = palette[3 * value + i] ?? 0;
      data[at + 3] = clear?.[value] ?? 255;
    };
  }
  if (type === 0 && deep) { // the whole range, to the nearest of 256
    const grey = clearAt(0);
    return (row, column, data, at) => {
      const value = row[2 * column] * 256 + row[2 * column + 1];
      data.fill(value === grey ? 255 : Math.round(value / 257), at, at + 3);
      data[at + 3] = 255;
    };
  }
  if (type === 0 || type === 4) {
    const count = type === 4 ? 2 : 1, grey = type === 0 ? clearAt(0) : -1;
    return (row, column, data, at) => {
      const from = column * count * first;
      data.fill(row[from], at, at + 3);
      data[at + 3] = type === 4 ? row[from + first] : row[from] === grey ? 0 : 255;
    };
  }
  const count = CHANNELS[type], hidden = [0, 1, 2].map(clearAt);
  return (row, column, data, at) => {
    const from = column * count * first;
    for (let i = 0; i < 3; i++) data[at + i] = row[from + i * first];
    if (type === 6) data[at + 3] = row[from + 3 * first];
    else data[at + 3] = hidden.every((value, i) => value === data[at + i]) ? 0 : 255;
  };
}

// A JPEG's pixels out of its coefficients, whole or at a half, a quarter or an eighth of its size, bit for bit as
// libjpeg-turbo has them, which Pillow decodes with: sums in whole numbers, of 13 bits behind the point.

// The inverse cosine transform of 8 numbers into 8, or into the means of every 2 or 4 of those (Loeffler, Ligtenberg and
// Moschytz 1989, ICASSP 2, 988-991): for the first half of the places the factors of numbers 0, 2, 4, 6 and of 1, 3, 5, 7; in
// the second half, from the end, the latter are subtracted. shift: behind the first pass, of columns; 7 more behind the second.
const TRANSFORMS = {
  8: {
    even: [[8192, 10703, 8192, 4433], [8192, 4433, -8192, -10704], [8192, -4433, -8192, 10704], [8192, -10703, 8192, -4433]],
    odd: [[11363, 9633, 6437, 2260], [9633, -2259, -11362, -6436], [6437, -11362, 2261, 9633], [2260, -6436, 9633, -11363]],
    shift: 11,
  },
  4: {
    even: [[16384, 15137, 0, -6270], [16384, -15137, 0, 6270]],
    odd: [[20995, 7373, -4926, -4176], [8697, -17799, 11893, -1730]],
    shift: 12,
  },
  2: { even: [[32768, 0, 0, 0]], odd: [[29692, -10426, 6967, -5906]], shift: 13 },
};

function transform(size, from, at, step, to, place, next, shift) {
  const { even, odd } = TRANSFORMS[size], half = 1 << (shift - 1);
  const a = from[at], b = from[at + step], c = from[at + 2 * step], d = from[at + 3 * step];
  const e = from[at + 4 * step], f = from[at + 5 * step], g = from[at + 6 * step], h = from[at + 7 * step];
  for (let i = 0; i < even.length; i++) {
    const [p, q, r, s] = even[i], [t, u, v, w] = odd[i];
    const same = p * a + q * c + r * e + s * g + half, other = t * b + u * d + v * f + w * h;
    to[place + i * next] = (same + other) >> shift;
    to[place + (size - 1 - i) * next] = (same - other) >> shift;
  }
}

// {width, height, data}: a part of a picture at `size` pixels a block, one byte a pixel.
function planeOf({ columns, rows, quant, numbers }, size) {
  const width = columns * size, data = new Uint8ClampedArray(width * rows * size);
  const block = new Int32Array(64), between = new Int32Array(64), line = new Int32Array(8);
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) {
    const at = 64 * (row * columns + column), place = row * size * width + column * size;
    let flat = true;
    for (let k = 1; k < 64; k++) flat &&= !numbers[at + k];
    if (flat || size === 1) {
      const mean = ((numbers[at] * quant[0] + 4) >> 3) + 128;
      for (let y = 0; y < size; y++) data.fill(mean, place + y * width, place + y * width + size);
      continue;
    }
    for (let k = 0; k < 64; k++) block[k] = numbers[at + k] * quant[k];
    const { shift } = TRANSFORMS[size];
    for (let x = 0; x < 8; x++) transform(size, block, x, 8, between, x, 8, shift);
    for (let y = 0; y < size; y++) {
      transform(size, between, 8 * y, 1, line, 0, 1, shift + 7);
      for (let x = 0; x < size; x++) data[place + y * width + x] = line[x] + 128;
    }
  }
  return { width, data };
}

// Pixels {width, height, data} of a JPEG at 1/factor of its size, factor 1, 2, 4 or 8. Raises Unusual.
function jpegPixels(jpeg, factor) {
  const least = 8 / factor, width = Math.ceil(jpeg.width / factor), height = Math.ceil(jpeg.height / factor);
  const lines = jpeg.parts.map((part) => {
    // A part that has fewer pixels is decoded at more of its size, as far as that goes in both directions.
    let size = least;
    while (size < 8 && (jpeg.across * least) % (2 * part.across * size) === 0 && (jpeg.down * least) % (2 * part.down * size) === 0) size *= 2;
    const across = (jpeg.across * least) / (part.across * size), down = (jpeg.down * least) / (part.down * size);
    need(Number.isInteger(across) && Number.isInteger(down));
    const columns = Math.ceil((jpeg.width * part.across * size) / (8 * jpeg.across));
    const rows = Math.ceil((jpeg.height * part.down * size) / (8 * jpeg.down));
    return enlarger({ ...planeOf(part, size), columns, rows }, across, down, least > 1, width);
  });
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let y = 0, place = 0; y < height; y++) {
    const [luma, blue, red] = lines.map((line) => line(y));
    for (let x = 0; x < width; x++, place += 4) {
      // ITU-R 601 with 16 bits behind the point.
      const grey = luma[x], b = blue && !jpeg.plain ? blue[x] - 128 : 0, r = blue && !jpeg.plain ? red[x] - 128 : 0;
      data[place] = grey + ((91881 * r + 32768) >> 16);
      data[place + 1] = jpeg.plain ? blue[x] : grey + ((-22554 * b - 46802 * r + 32768) >> 16);
      data[place + 2] = jpeg.plain ? red[x] : grey + ((116130 * b + 32768) >> 16);
    }
  }
  return { width, height, data };
}

// A function that gives a plane's lines, `across` times as wide and `down` times as many; smoothly for factors of two: a pixel's own value
// counts three times, that of the nearest neighbour once.
function enlarger({ width, data, columns, rows }, across, down, smooth, wide) {
  const row = (y) => data.subarray(y * width, (y + 1) * width), clear = (y) => Math.min(Math.max(y, 0), rows - 1);
  if (across === 1 && down === 1) return row;
  const line = new Uint8Array(Math.max(wide, across * columns)), sums = new Int32Array(columns);
  if (!smooth || across > 2 || down > 2 || (across === 2 && columns <= 2)) {
    return (y) => {
      const from = row(Math.floor(y / down));
      for (let x = 0; x < wide; x++) line[x] = from[Math.floor(x / across)];
      return line;
    };
  }
  return (y) => {
    const at = Math.floor(y / down), own = row(at), near = row(clear(y % 2 ? at + 1 : at - 1));
    for (let x = 0; x < columns; x++) sums[x] = down === 2 ? 3 * own[x] + near[x] : own[x];
    if (across === 1) {
      for (let x = 0; x < columns; x++) line[x] = (sums[x] + (y % 2 ? 2 : 1)) >> 2;
      return line;
    }
    const [shift, left, right] = down === 2 ? [4, 8, 7] : [2, 1, 2];
    for (let x = 0; x < columns; x++) {
      line[2 * x] = (3 * sums[x] + sums[Math.max(x - 1, 0)] + left) >> shift;
      line[2 * x + 1] = (3 * sums[x] + sums[Math.min(x + 1, columns - 1)] + right) >> shift;
    }
    return line;
  };
}

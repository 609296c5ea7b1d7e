// Pictures brought to size as Pillow does it, to the byte: its BILINEAR is a triangle, widened when shrinking; first
// across, then down, with weights of 22 bits behind the point and bytes in between (Pillow's Resample.c).

const BITS = 22;

// For each of `count` new pixels out of those from `begin` to `end` of `length`: the first, and the weights.
function triangles(length, begin, end, count) {
  const scale = Math.fround(end - begin) / count, reach = Math.max(scale, 1);
  return Array.from({ length: count }, (_, i) => {
    const middle = begin + (i + 0.5) * scale;
    const first = Math.max(Math.trunc(middle - reach + 0.5), 0);
    const last = Math.min(Math.trunc(middle + reach + 0.5), length);
    const weights = [];
    for (let at = first; at < last; at++) {
      weights.push(Math.max(1 - Math.abs((at - middle + 0.5) * (1 / reach)), 0));
    }
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((weight) => Math.trunc(0.5 + (weight / sum) * 2 ** BITS)) };
  });
}

// One pass along an axis. from: bytes of `lines` lines; next: from a pixel of a line to the next, in bytes.
function pass(from, filters, { lines, line, next, channels }, to, step) {
  for (let number = 0; number < lines; number++) {
    for (let i = 0; i < filters.length; i++) {
      const { first, weights } = filters[i], begin = number * line.from + first * next;
      for (let channel = 0; channel < channels; channel++) {
        let sum = 1 << (BITS - 1);
        for (let k = 0, at = begin + channel; k < weights.length; k++, at += next) sum += from[at] * weights[k];
        to[number * line.to + i * step + channel] = sum >> BITS; // weights are positive and sum to one: no clipping
      }
    }
  }
}

// The part (left, top, right, bottom) of a picture {width, height, data} of so many channels, at another size.
// tallFirst: pictures that lose much more height than width go down before across, as since Pillow 13.
function resize(picture, channels, [left, top, right, bottom], width, height, tallFirst) {
  const whole = left === 0 && top === 0 && right === picture.width && bottom === picture.height;
  if (whole && picture.width === width && picture.height === height) return picture.data;
  const across = ({ width: wide, height: tall, data }) => {
    if (wide === width && !left && right === wide) return { width, height: tall, data };
    const narrow = new Uint8Array(width * tall * channels), line = { from: wide * channels, to: width * channels };
    const filters = triangles(wide, left, right, width);
    pass(data, filters, { lines: tall, line, next: channels, channels }, narrow, channels);
    return { width, height: tall, data: narrow };
  };
  const down = ({ width: wide, height: tall, data }) => {
    if (tall === height && !top && bottom === tall) return { width: wide, height, data };
    const low = new Uint8Array(wide * height * channels), line = { from: channels, to: channels };
    const filters = triangles(tall, top, bottom, height);
    pass(data, filters, { lines: wide, line, next: wide * channels, channels }, low, wide * channels);
    return { width: wide, height, data: low };
  };
  const less = [picture.height - height, picture.width - width];
  return (tallFirst && less[0] > 0 && less[0] > 2 * less[1] ? across(down(picture)) : down(across(picture))).data;
}

// The means of squares: what a JPEG's decoder gives that is told to decode at a part of its size.
function shrink({ width, height, data }, factor) {
  const columns = Math.ceil(width / factor), rows = Math.ceil(height / factor);
  const small = new Uint8Array(4 * columns * rows).fill(255), count = factor * factor;
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) {
    let red = 0, green = 0, blue = 0;
    for (let y = row * factor; y < (row + 1) * factor; y++) for (let x = column * factor; x < (column + 1) * factor; x++) {
      const at = 4 * (Math.min(y, height - 1) * width + Math.min(x, width - 1)); // beyond the edge lies its last pixel
      red += data[at];
      green += data[at + 1];
      blue += data[at + 2];
    }
    const place = 4 * (row * columns + column), half = count / 2;
    small[place] = (red + half) / count;
    small[place + 1] = (green + half) / count;
    small[place + 2] = (blue + half) / count;
  }
  return { width: columns, height: rows, data: small };
}

// From decoded pixels to what a network sees, as residua's `read_picture` and `Preprocessing` have it.

// Height and width at which a picture is read as it is stored: it may lie on its side.
const lying = ({ orientation }, [height, width]) => (orientation >= 5 ? [width, height] : [height, width]);

// 1, 2, 4 or 8: at which part of its size a JPEG is decoded; twice what is wanted keeps the resizing smooth.
function partOf(picture, { reading }) {
  const side = 2 * Math.max(...lying(picture, reading));
  const scale = Math.min(Math.floor(picture.width / side), Math.floor(picture.height / side));
  return [8, 4, 2, 1].find((factor) => scale >= factor) ?? 1;
}

// Bytes (height, width, channels) at the size that is stored. picture: {width, height, data, orientation, whole}, four
// bytes a pixel; shape: {stored, reading, channels, tallFirst}.
function fit(picture, { stored, reading, channels, tallFirst }) {
  const [height, width] = lying(picture, reading), part = picture.whole ? partOf(picture, { reading }) : 1;
  if (part > 1) picture = { ...picture, ...shrink(picture, part) };
  const flat = { ...picture, data: flatten(picture.data, channels) };
  const scale = Math.min(flat.width / width, flat.height / height), across = scale * width, down = scale * height;
  const left = Math.max((flat.width - across) / 2, 0), top = Math.max((flat.height - down) / 2, 0);
  const box = [left, top, Math.min(left + across, flat.width), Math.min(top + down, flat.height)].map(Math.fround);
  const small = turn(
    resize(flat, channels, box, width, height, tallFirst), [height, width], channels, picture.orientation);
  return middle(small, reading, stored, channels);
}

// Transparency laid on white, and grey where one channel is wanted (ITU-R 601, 16 bits behind the point).
function flatten(data, channels) {
  const count = data.length / 4, flat = new Uint8Array(count * channels);
  for (let pixel = 0, at = 0, place = 0; pixel < count; pixel++, at += 4, place += channels) {
    let red = data[at], green = data[at + 1], blue = data[at + 2];
    const opaque = data[at + 3];
    if (opaque !== 255) {
      red = onWhite(red, opaque);
      green = onWhite(green, opaque);
      blue = onWhite(blue, opaque);
    }
    if (channels === 1) flat[place] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
    else {
      flat[place] = red;
      flat[place + 1] = green;
      flat[place + 2] = blue;
    }
  }
  return flat;
}

// With the rounding of Pillow's AlphaComposite.c.
function onWhite(value, opaque) {
  if (!opaque) return 255;
  const sum = value * opaque * 128 + 255 * (255 - opaque) * 128 + (0x80 << 7);
  return ((sum >> 8) + sum) >> 8 >> 7;
}

// Stored pixels upright, by their orientation.
function turn(data, [height, width], channels, orientation) {
  if (!(orientation > 1)) return data;
  const upright = new Uint8Array(data.length), wide = orientation >= 5 ? height : width;
  for (let row = 0; row < height; row++) for (let column = 0; column < width; column++) {
    const right = width - 1 - column, below = height - 1 - row;
    const [y, x] = [
      [row, right], [below, right], [below, column], [column, row], [column, below], [right, below], [right, row],
    ][orientation - 2];
    for (let channel = 0; channel < channels; channel++) {
      upright[(y * wide + x) * channels + channel] = data[(row * width + column) * channels + channel];
    }
  }
  return upright;
}

// The middle (height, width) of larger numbers, which may be bytes or floats.
function middle(data, [tall, wide], [height, width], channels) {
  if (tall === height && wide === width) return data;
  const top = Math.floor((tall - height) / 2), left = Math.floor((wide - width) / 2);
  const part = new data.constructor(height * width * channels);
  for (let row = 0; row < height; row++) {
    const from = ((top + row) * wide + left) * channels;
    part.set(data.subarray(from, from + width * channels), row * width * channels);
  }
  return part;
}

// Where a number of the network's order of channels lies in bytes, which are RGB; and the other way round.
function mirrored(i, channels, order) {
  const channel = i % channels;
  return order === "BGR" ? i - channel + (channels - 1 - channel) : i;
}

// (pixel / 255 - mean) / std in the network's order of channels, at the size that it sees.
function normalise(bytes, { stored, seen, channels, scale, shift, order }) {
  let numbers = new Float32Array(bytes.length);
  for (let i = 0; i < numbers.length; i++) {
    const channel = i % channels;
    numbers[i] = Math.fround(bytes[mirrored(i, channels, order)] * scale[channel]) + shift[channel];
  }
  const size = [Math.max(stored[0], seen[0]), Math.max(stored[1], seen[1])];
  if (size[0] > stored[0] || size[1] > stored[1]) numbers = enlarge(numbers, stored, size, channels);
  return middle(numbers, size, seen, channels);
}

// Larger by linear interpolation, as residua's `resize_weights` has it.
function enlarge(numbers, [height, width], [tall, wide], channels) {
  const weights = (many, few) => Array.from({ length: many }, (_, i) => {
    const row = Array.from({ length: few }, (_, k) => Math.max(1 - Math.abs(k + 0.5 - ((i + 0.5) * few) / many), 0));
    const sum = row.reduce((a, b) => a + b, 0);
    return row.flatMap((weight, k) => (weight > 0 ? [[k, Math.fround(weight / sum)]] : []));
  });
  const down = weights(tall, height), across = weights(wide, width), large = new Float32Array(tall * wide * channels);
  for (let y = 0; y < tall; y++) for (let x = 0; x < wide; x++) for (let channel = 0; channel < channels; channel++) {
    let sum = 0;
    for (const [row, a] of down[y]) for (const [column, b] of across[x]) {
      sum += a * b * numbers[(row * width + column) * channels + channel];
    }
    large[(y * wide + x) * channels + channel] = sum;
  }
  return large;
}

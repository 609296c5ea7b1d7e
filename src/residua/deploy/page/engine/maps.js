// Layers that move pixels or look at neighbours: pools, paddings, shortcuts, normalisation by neighbouring channels.

// A tensor for what comes of windows over x, filled with a number; `visit` is called for every pixel of x inside every
// window: with the place of y's channels, that of x's, and the place in the window.
function windows(memory, x, { kernel, stride, padding }, first, visit) {
  const [height, width, channels] = x.shape;
  const count = (side) => Math.floor((side + 2 * padding - kernel) / stride) + 1;
  const y = memory.tensor([count(height), count(width), channels]);
  const from = memory.numbers(x), to = memory.numbers(y).fill(first);
  let place = 0;
  for (let top = -padding; top + kernel <= height + padding; top += stride) {
    for (let left = -padding; left + kernel <= width + padding; left += stride, place += channels) {
      const down = Math.min(top + kernel, height), across = Math.min(left + kernel, width);
      for (let row = Math.max(top, 0); row < down; row++) for (let column = Math.max(left, 0); column < across; column++) {
        visit(to, place, from, (row * width + column) * channels, (row - top) * kernel + column - left);
      }
    }
  }
  return y;
}

// x with so many pixels above, below, left and right: zeros, x mirrored at its outermost pixels, or those repeated.
function frame(memory, x, [above, below, left, right], border) {
  const [height, width, channels] = x.shape, columns = width + left + right;
  const y = memory.tensor([height + above + below, columns, channels]);
  const from = memory.numbers(x), to = memory.numbers(y);
  const inside = (at, side) => {
    if (at >= 0 && at < side) return at;
    if (border === "zero") return -1;
    if (border === "edge") return at < 0 ? 0 : side - 1;
    return at < 0 ? -at : 2 * (side - 1) - at;
  };
  const places = Array.from({ length: columns }, (_, column) => inside(column - left, width));
  for (let row = 0; row < y.shape[0]; row++) {
    const start = row * columns * channels, source = inside(row - above, height);
    if (source < 0) {
      to.fill(0, start, start + columns * channels);
      continue;
    }
    for (let column = 0; column < columns; column++) {
      if (column === left) { // the picture itself, at once
        to.set(from.subarray(source * width * channels, (source + 1) * width * channels), start + left * channels);
        column += width - 1;
        continue;
      }
      const at = (source * width + places[column]) * channels, place = start + column * channels;
      for (let channel = 0; channel < channels; channel++) {
        to[place + channel] = places[column] < 0 ? 0 : from[at + channel];
      }
    }
  }
  return y;
}

function padded(border) {
  return (memory, layer, v, x) => frame(memory, x, [layer.above, layer.below, layer.left, layer.right], border);
}

const MAPS = {
  // Beyond the picture lies minus infinity.
  MaxPool2d(memory, layer, v, x) {
    const channels = x.shape[2];
    return windows(memory, x, layer, -Infinity, (to, place, from, at) => {
      for (let channel = 0; channel < channels; channel++) {
        if (from[at + channel] > to[place + channel]) to[place + channel] = from[at + channel];
      }
    });
  },

  // Padding counts as zeros, or by option not at all.
  AveragePool2d(memory, layer, v, x) {
    const channels = x.shape[2], counts = new Map();
    const y = windows(memory, x, layer, 0, (to, place, from, at) => {
      counts.set(place, (counts.get(place) ?? 0) + 1);
      for (let channel = 0; channel < channels; channel++) to[place + channel] += from[at + channel];
    });
    const to = memory.numbers(y), all = layer.kernel ** 2;
    for (const [place, inside] of counts) {
      for (let channel = 0; channel < channels; channel++) {
        to[place + channel] /= layer.count_padding === false ? inside : all;
      }
    }
    return y;
  },

  GlobalAveragePool(memory, layer, v, x) {
    const [height, width, channels] = x.shape, y = memory.tensor([channels]);
    const from = memory.numbers(x), to = memory.numbers(y);
    for (let channel = 0; channel < channels; channel++) {
      let sum = 0;
      for (let at = channel; at < from.length; at += channels) sum += from[at];
      to[channel] = sum / (height * width);
    }
    return y;
  },

  ZeroPad2d: padded("zero"),
  ReflectionPad2d: padded("reflect"),
  ReplicationPad2d: padded("edge"),

  NearestUpsample2d(memory, layer, v, x) {
    const [height, width, channels] = x.shape, { factor } = layer;
    const y = memory.tensor([height * factor, width * factor, channels]);
    const from = memory.numbers(x), to = memory.numbers(y);
    for (let row = 0; row < height * factor; row++) for (let column = 0; column < width * factor; column++) {
      const at = (Math.floor(row / factor) * width + Math.floor(column / factor)) * channels;
      to.set(from.subarray(at, at + channels), (row * width * factor + column) * channels);
    }
    return y;
  },

  // Shortcut A: every stride-th pixel, with zero channels on both sides, the greater half behind.
  SubsamplePad(memory, layer, v, x) {
    const [height, width, channels] = x.shape, { stride, out_channels: out } = layer;
    const y = memory.tensor([Math.ceil(height / stride), Math.ceil(width / stride), out]);
    const from = memory.numbers(x), to = memory.numbers(y).fill(0);
    const before = Math.floor((out - channels) / 2);
    for (let row = 0; row < y.shape[0]; row++) for (let column = 0; column < y.shape[1]; column++) {
      const at = (row * stride * width + column * stride) * channels;
      to.set(from.subarray(at, at + channels), (row * y.shape[1] + column) * out + before);
    }
    return y;
  },

  // x / (offset + alpha * sum of x² over `size` neighbouring channels) ** beta; of an even number more lie before.
  LocalResponseNorm(memory, layer, v, x) {
    const channels = x.shape.at(-1), from = memory.numbers(x);
    const before = layer.size >> 1, after = (layer.size - 1) >> 1;
    return memory.map(x, (number, i) => {
      const channel = i % channels, start = i - channel;
      let sum = 0;
      const last = Math.min(channel + after, channels - 1);
      for (let near = Math.max(channel - before, 0); near <= last; near++) sum += from[start + near] ** 2;
      return number / (layer.offset + layer.alpha * sum) ** layer.beta;
    });
  },

  // x * weight + bias for every channel: what a normalisation becomes when it is frozen.
  ScaleShift(memory, layer, v, x) {
    const channels = x.shape.at(-1), scale = v.weight.values, shift = v.bias.values;
    return memory.map(x, (number, i) => {
      const y = number * scale[i % channels] + shift[i % channels];
      return layer.relu && y < 0 ? 0 : y;
    });
  },
};

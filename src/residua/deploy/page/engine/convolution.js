// Convolutions and linear layers, through the kernel. Weights are (kernel, kernel, in, out), as in residua.

// Weights and bias as the kernel reads them: panels of eight output channels, (kernel * kernel * in, 8) each; of
// `groups` one after the other. Done once for every layer.
function pack(memory, weight, bias, groups = 1) {
  const channels = weight.shape.at(-1), depth = size(weight.shape) / channels;
  const each = channels / groups, panels = Math.ceil(each / 8);
  const packed = [];
  for (let group = 0; group < groups; group++) {
    const w = memory.tensor([panels, depth, 8]), b = memory.tensor([panels, 8]);
    const to = memory.numbers(w).fill(0), shift = memory.numbers(b).fill(0);
    for (let channel = 0; channel < each; channel++) {
      const from = group * each + channel, panel = channel >> 3, lane = channel & 7;
      for (let k = 0; k < depth; k++) to[(panel * depth + k) * 8 + lane] = weight.values[k * channels + from];
      if (bias) shift[channel] = bias.values[from];
    }
    packed.push({ w: w.at, b: b.at, panels, channels: each });
  }
  return packed;
}

// y of one group of channels. x: (H, W, C); kernel, stride, padding in pixels.
function convolve(memory, x, weights, { kernel, stride, padding, relu }) {
  const [height, width, channels] = x.shape;
  const tall = height + 2 * padding, wide = width + 2 * padding;
  const rows = Math.floor((tall - kernel) / stride) + 1, columns = Math.floor((wide - kernel) / stride) + 1;
  const y = memory.tensor([rows, columns, weights.channels], 8), top = memory.top;
  const framed = padding ? frame(memory, x, [padding, padding, padding, padding], "zero") : x;
  memory.convolve(
    framed.at, weights.w, weights.b, y.at, rows * columns, columns, 4 * stride * channels,
    4 * stride * wide * channels, 4 * wide * channels, kernel, kernel * channels, weights.panels,
    4 * weights.channels, relu ? 1 : 0);
  memory.top = top; // the frame is not needed any more
  return y;
}

const WEIGHTED = {
  Conv2d: (memory, layer, v) => pack(memory, v.weight ?? v.fixed_weight, v.bias),
  GroupedConv2d: (memory, layer, v) => pack(memory, v.weight, v.bias, layer.groups),
  Linear: (memory, layer, v) => pack(memory, v.weight, v.bias),
  PrimaryCapsules: (memory, layer, v) => pack(memory, v.weight, v.bias),
};

const CONVOLUTIONS = {
  Conv2d: (memory, layer, v, x) => convolve(memory, x, v.packed[0], layer),

  // Each group sees its own share of the channels.
  GroupedConv2d(memory, layer, v, x) {
    const share = x.shape[2] / layer.groups;
    return joined(memory, v.packed.map(
      (weights, group) => convolve(memory, channelsOf(memory, x, group * share, share), weights, layer)));
  },

  // A kernel for every channel. Weights (kernel, kernel, channels).
  DepthwiseConv2d(memory, layer, v, x) {
    const channels = x.shape[2], weight = v.weight.values;
    const y = windows(memory, x, layer, 0, (to, place, from, at, offset) => {
      for (let channel = 0; channel < channels; channel++) {
        to[place + channel] += from[at + channel] * weight[offset * channels + channel];
      }
    });
    const to = memory.numbers(y);
    for (let i = 0; i < to.length; i++) {
      if (v.bias) to[i] += v.bias.values[i % channels];
      if (layer.relu && to[i] < 0) to[i] = 0;
    }
    return y;
  },

  // What a convolution does to gradients: every pixel of x is spread over a window of y. Weights (k, k, in, out).
  TransposedConv2d(memory, layer, v, x) {
    const { kernel, stride, padding, extra } = layer, [height, width, channels] = x.shape;
    const grown = (side) => (side - 1) * stride + kernel - 2 * padding + extra;
    const out = layer.out_channels, y = memory.tensor([grown(height), grown(width), out]);
    const from = memory.numbers(x), to = memory.numbers(y), [tall, wide] = y.shape;
    for (let i = 0; i < to.length; i++) to[i] = v.bias ? v.bias.values[i % out] : 0;
    for (let row = 0; row < height; row++) for (let column = 0; column < width; column++) {
      for (let offset = 0; offset < kernel * kernel; offset++) {
        const down = row * stride + Math.floor(offset / kernel) - padding;
        const across = column * stride + (offset % kernel) - padding;
        if (down < 0 || across < 0 || down >= tall || across >= wide) continue;
        for (let channel = 0; channel < channels; channel++) {
          const number = from[(row * width + column) * channels + channel];
          for (let o = 0; o < out; o++) {
            to[(down * wide + across) * out + o] += number * v.weight.values[(offset * channels + channel) * out + o];
          }
        }
      }
    }
    return y;
  },

  // A convolution of one pixel, whose channels are the features.
  Linear(memory, layer, v, x) {
    const pixel = { at: x.at, shape: [1, 1, x.shape[0]] };
    const y = convolve(memory, pixel, v.packed[0], { kernel: 1, stride: 1, padding: 0, relu: false });
    return { at: y.at, shape: [layer.out_features] };
  },
};

// Layers that hold layers: chains, residual blocks, branches, and networks that answer together.

function inner(memory, layers, v, x) {
  return Object.entries(layers).map(([name, layer]) => run(memory, layer, v[name], x));
}

// Channels side by side.
function joined(memory, parts) {
  if (parts.length === 1) return parts[0];
  const channels = parts.reduce((sum, part) => sum + part.shape.at(-1), 0);
  const y = memory.tensor([...parts[0].shape.slice(0, -1), channels]), to = memory.numbers(y);
  let first = 0;
  for (const part of parts) {
    const from = memory.numbers(part), count = part.shape.at(-1);
    for (let at = 0, place = first; at < from.length; at += count, place += channels) {
      for (let channel = 0; channel < count; channel++) to[place + channel] = from[at + channel];
    }
    first += count;
  }
  return y;
}

function channelsOf(memory, x, first, count) {
  const channels = x.shape.at(-1);
  const y = memory.tensor([...x.shape.slice(0, -1), count]), from = memory.numbers(x), to = memory.numbers(y);
  for (let at = first, place = 0; place < to.length; at += channels, place += count) {
    to.set(from.subarray(at, at + count), place);
  }
  return y;
}

function sum(memory, parts, relu) {
  const y = memory.tensor(parts[0].shape), to = memory.numbers(y).fill(0);
  for (const part of parts) {
    const from = memory.numbers(part);
    for (let i = 0; i < to.length; i++) to[i] += from[i];
  }
  if (relu) for (let i = 0; i < to.length; i++) if (to[i] < 0) to[i] = 0;
  return y;
}

const CONTAINERS = {
  Identity: (memory, layer, v, x) => x,
  Flatten: (memory, layer, v, x) => ({ at: x.at, shape: [size(x.shape)] }),
  Reshape: (memory, layer, v, x) => ({ at: x.at, shape: layer.shape }),

  Sequential(memory, layer, v, x) {
    for (const [name, next] of Object.entries(layer.layers)) x = run(memory, next, v[name], x);
    return x;
  },

  // relu(body(x) + shortcut(x)); without a shortcut relu(body(x)).
  Residual(memory, layer, v, x) {
    const parts = [run(memory, layer.body, v.body, x)];
    if (layer.shortcut) parts.push(run(memory, layer.shortcut, v.shortcut, x));
    return sum(memory, parts, true);
  },

  Add: (memory, layer, v, x) => sum(memory, inner(memory, layer.branches, v, x), false),
  Concatenate: (memory, layer, v, x) => joined(memory, inner(memory, layer.branches, v, x)),

  // Every branch reads its own share of the channels.
  Parallel(memory, layer, v, x) {
    const branches = Object.entries(layer.branches), share = x.shape.at(-1) / branches.length;
    return joined(memory, branches.map(([name, branch], i) =>
      run(memory, branch, v[name], channelsOf(memory, x, i * share, share))));
  },

  // The members' probabilities: their weighted mean, or a vote each, and the mean as one vote more.
  Ensemble(memory, layer, v, x) {
    const parts = Object.entries(layer.members).map(([name, member], i) => {
      const scale = layer.scales[i], shift = layer.shifts[i];
      const seen = scale ? memory.map(x, (number, at) =>
        Math.fround(number * scale[at % scale.length]) + shift[at % scale.length]) : x;
      return Array.from(memory.numbers(probabilities(memory, member, run(memory, member, v[name], seen))));
    });
    const classes = parts[0].length, weights = layer.weights;
    const mean = Array.from({ length: classes }, (_, c) =>
      parts.reduce((total, part, i) => total + weights[i] * part[c], 0));
    if (layer.method !== "vote") return memory.keep([classes], mean);
    for (const part of parts) mean[part.indexOf(Math.max(...part))] += 1;
    return memory.keep([classes], mean.map((number) => number / (parts.length + 1)));
  },
};

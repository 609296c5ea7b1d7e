// Capsules: Sabour, Frosst, Hinton 2017, "Dynamic routing between capsules", arXiv 1710.09829.

// x |x| / (1 + |x|²) of each capsule of `dimension` numbers, in place.
function squash(numbers, dimension) {
  for (let at = 0; at < numbers.length; at += dimension) {
    const capsule = numbers.subarray(at, at + dimension);
    const square = capsule.reduce((sum, x) => sum + x * x, 0), factor = Math.sqrt(square) / (1 + square);
    for (let i = 0; i < dimension; i++) capsule[i] *= factor;
  }
}

const CAPSULES = {
  PrimaryCapsules(memory, layer, v, x) {
    const y = convolve(memory, x, v.packed[0], { ...layer, padding: 0, relu: false });
    squash(memory.numbers(y), layer.dimension);
    return { at: y.at, shape: [size(y.shape) / layer.dimension, layer.dimension] };
  },

  // A capsule for each class, of all capsules below by routing with agreement (procedure 1).
  DigitCapsules(memory, layer, v, x) {
    const { in_capsules: below, in_dimension: inside, capsules: above, dimension: out, routings } = layer;
    const from = memory.numbers(x), weight = v.weight.values;
    const predictions = new Float32Array(below * above * out), logits = new Float32Array(below * above);
    for (let i = 0; i < below; i++) for (let d = 0; d < inside; d++) {
      const number = from[i * inside + d], row = (i * inside + d) * above * out;
      for (let k = 0; k < above * out; k++) predictions[i * above * out + k] += number * weight[row + k];
    }
    const y = new Float32Array(above * out);
    for (let routing = 0; routing < routings; routing++) {
      y.fill(0);
      for (let i = 0; i < below; i++) {
        const shares = softmax(Array.from(logits.subarray(i * above, (i + 1) * above)));
        for (let k = 0; k < above * out; k++) {
          y[k] += shares[Math.floor(k / out)] * predictions[i * above * out + k];
        }
      }
      squash(y, out);
      if (routing === routings - 1) break;
      for (let k = 0; k < predictions.length; k++) logits[Math.floor(k / out)] += predictions[k] * y[k % y.length];
    }
    return memory.keep([above, out], y);
  },

  Lengths(memory, layer, v, x) {
    const dimension = x.shape.at(-1), y = memory.tensor(x.shape.slice(0, -1));
    const from = memory.numbers(x), to = memory.numbers(y);
    for (let i = 0; i < to.length; i++) to[i] = Math.hypot(...from.subarray(i * dimension, (i + 1) * dimension));
    return y;
  },

  CapsuleNetwork(memory, layer, v, x) {
    return CAPSULES.Lengths(memory, layer, v, CONTAINERS.Sequential(memory, layer, v, x));
  },
};

// Functions of single numbers, and softmax over channels or features.

// The error function: 2/sqrt(pi) exp(-x²) (x + 2x³/3 + 4x⁵/15 + ...), all terms of one sign (Abramowitz and Stegun
// 1964, 7.1.6); beyond 5.9 it is one to the last digit of a double.
function erf(x) {
  if (Math.abs(x) > 5.9) return Math.sign(x);
  let term = x, sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

function one(of) {
  return (memory, layer, v, x) => memory.map(x, (number) => of(number, layer));
}

// What is made of the numbers along the last axis, in float64.
function along(of) {
  return (memory, layer, v, x) => {
    const y = memory.tensor(x.shape), length = x.shape.at(-1);
    const from = memory.numbers(x), to = memory.numbers(y);
    for (let at = 0; at < from.length; at += length) to.set(of(Array.from(from.subarray(at, at + length))), at);
    return y;
  };
}

function softmax(row) {
  const most = row.reduce((a, b) => Math.max(a, b)), powers = row.map((number) => Math.exp(number - most));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

const ACTIVATIONS = {
  ReLU: one((x) => (x < 0 ? 0 : x)),
  LeakyReLU: one((x, layer) => (x < 0 ? layer.slope * x : x)),
  GELU: one((x) => (x * (1 + erf(x * Math.SQRT1_2))) / 2),
  SiLU: one((x) => x * sigmoid(x)),
  Sigmoid: one(sigmoid),
  Tanh: one(Math.tanh),
  Threshold: one((x, layer) => (x > layer.level ? x : layer.value)),
  Logarithm: one((x) => Math.log(Math.max(x, 1.1754944e-38))),
  MultiplyConstant: one((x, layer) => x * layer.constant),
  Softmax: along(softmax),
  LogSoftmax: along((row) => {
    const most = row.reduce((a, b) => Math.max(a, b));
    const sum = Math.log(row.reduce((a, b) => a + Math.exp(b - most), 0));
    return row.map((number) => number - most - sum);
  }),
  // |x| by its share of the sum; equal shares where all are zero.
  Shares: along((row) => {
    const sum = row.reduce((a, b) => a + Math.abs(b), 0);
    return row.map((number) => (sum > 0 ? Math.abs(number) / sum : 1 / row.length));
  }),
};

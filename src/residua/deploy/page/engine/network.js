// A network, described as a model file describes it, and what it says of a picture. Layers have the names and fields
// of residua's own, in residua/layers; each is a function (memory, layer, its variables, x) -> y of one picture.

const LAYERS = { ...CONVOLUTIONS, ...MAPS, ...ACTIVATIONS, ...CAPSULES, ...CONTAINERS };

function run(memory, layer, v, x) {
  return LAYERS[layer.layer](memory, layer, v, x);
}

// How outputs become probabilities.
function probabilities(memory, layer, outputs) {
  if (layer.layer === "Ensemble") return outputs;
  return LAYERS[layer.layer === "CapsuleNetwork" ? "Shares" : "Softmax"](memory, {}, {}, outputs);
}

// The layers inside a layer, by the names under which their variables lie.
function layersIn(layer) {
  if (layer.layer === "Residual") return layer.shortcut ? { body: layer.body, shortcut: layer.shortcut } : { body: layer.body };
  return layer.layers ?? layer.branches ?? layer.members ?? {};
}

// A half-precision number of 16 bits (IEEE 754-2019, binary16).
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

// Variables out of the page's bytes: {name: {at, shape}} in a tree becomes {name: {shape, values}}.
function variables(tree, bytes) {
  const read = ({ at, shape, half: small }) => {
    if (!small) return { shape, values: new Float32Array(bytes.buffer, bytes.byteOffset + at, size(shape)) };
    return { shape, values: Float32Array.from(new Uint16Array(bytes.buffer, bytes.byteOffset + at, size(shape)), half) };
  };
  return Object.fromEntries(Object.entries(tree).map(
    ([name, inside]) => [name, typeof inside.at === "number" ? read(inside) : variables(inside, bytes)]));
}

class Network {
  // model: {network, variables}, as residua.deploy.page.packing writes it; bytes: the variables' numbers.
  constructor(kernel, model, bytes) {
    this.memory = new Memory(kernel);
    this.layer = model.network;
    this.v = variables(model.variables, bytes);
    this.prepare(this.layer, this.v);
    this.prepared = this.memory.top;
  }

  // Brings weights into the kernel's order, once. An error names a layer that is not known.
  prepare(layer, v) {
    if (!LAYERS[layer.layer]) throw new Error(`This page has no layer ${layer.layer}.`);
    const order = WEIGHTED[layer.layer];
    if (order) {
      v.packed = order(this.memory, layer, v);
      delete v.weight;
    }
    for (const [name, inside] of Object.entries(layersIn(layer))) this.prepare(inside, v[name]);
  }

  // numbers: of one picture, normalised, in reading order. Gives the outputs and probabilities.
  answer(numbers, shape) {
    this.memory.top = this.prepared;
    const outputs = run(this.memory, this.layer, this.v, this.memory.keep(shape, numbers));
    const shares = probabilities(this.memory, this.layer, outputs);
    return { outputs: Array.from(this.memory.numbers(outputs)), probabilities: Array.from(this.memory.numbers(shares)) };
  }
}

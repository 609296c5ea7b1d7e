// Numbers live in the memory that the kernel computes in. A tensor is where it begins, in bytes, and its shape: of one
// picture, (height, width, channels) or (features).

class Memory {
  constructor(kernel) {
    this.memory = new WebAssembly.Memory({ initial: 16 });
    const instance = new WebAssembly.Instance(kernel, { page: { memory: this.memory } });
    this.convolve = instance.exports.convolve;
    this.top = 0;
  }

  // A new tensor, whose numbers are whatever was there; `more` numbers behind it may be written over.
  tensor(shape, more = 0) {
    const at = this.top;
    this.top = (at + 4 * (size(shape) + more) + 15) & ~15;
    const missing = this.top - this.memory.buffer.byteLength;
    // A quarter more than is needed, so that it rarely grows.
    if (missing > 0) this.memory.grow(Math.ceil((missing + this.top / 4) / 65536));
    return { at, shape };
  }

  // A tensor's numbers. Memory that grows has another buffer: to be asked for after every tensor is made.
  numbers({ at, shape }) {
    return new Float32Array(this.memory.buffer, at, size(shape));
  }

  // A tensor shaped like x whose numbers are made of x's, one by one.
  map(x, of) {
    const y = this.tensor(x.shape);
    const from = this.numbers(x), to = this.numbers(y);
    for (let i = 0; i < to.length; i++) to[i] = of(from[i], i);
    return y;
  }

  keep(shape, values) {
    const x = this.tensor(shape);
    this.numbers(x).set(values);
    return x;
  }
}

function size(shape) {
  return shape.reduce((product, side) => product * side, 1);
}

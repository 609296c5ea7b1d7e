// Answers by the engine that the page holds.

class LocalAnswerer extends Answerer {
  constructor(model, network) {
    super(model);
    this.network = network;
  }

  async look(file) {
    const { preprocessing } = this.model, picture = await decode(file, preprocessing);
    const bytes = fit(picture, preprocessing);
    const numbers = normalise(bytes, preprocessing), { probabilities } = this.network.answer(numbers, this.shape);
    return { ...this.judge(probabilities), exact: picture.exact, numbers, bytes };
  }

  async explain(answer, going) {
    const falls = await occlude(this.network, answer.numbers, this.shape, answer.best, going);
    const draw = (canvas) => drawMap(canvas, this.seen(answer), falls, this.shape, this.model.colours);
    return falls && { falls, draw };
  }

  // What the network sees as bytes, to be drawn.
  seen({ bytes, numbers }) {
    const { stored, seen, channels, scale, shift, order } = this.model.preprocessing;
    if (stored[0] === seen[0] && stored[1] === seen[1]) return bytes;
    return Uint8ClampedArray.from(numbers, (_, i) => {
      const from = mirrored(i, channels, order), channel = from % channels;
      return (numbers[from] - shift[channel]) / scale[channel];
    });
  }
}

function bytesOf(id) {
  const place = element(id), coded = place.textContent;
  place.remove();
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(coded);
  return Uint8Array.from(atob(coded), (letter) => letter.charCodeAt(0));
}

// What answers here; null where this browser cannot.
function makeAnswerer(model) {
  const kernel = bytesOf("kernel");
  if (typeof WebAssembly !== "object" || typeof DecompressionStream !== "function" || !WebAssembly.validate(kernel)) return null;
  return new LocalAnswerer(model, new Network(new WebAssembly.Module(kernel), model, bytesOf("numbers")));
}

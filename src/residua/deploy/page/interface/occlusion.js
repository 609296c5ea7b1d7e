// Which part of a picture decided: by how much the answer's score falls where a square is covered with the mean colour
// (Zeiler and Fergus 2013, arXiv 1311.2901, section 4.2), as `residua explain --methods occlusion` has it.

const SECONDS = 4; // that a person waits; squares are larger and fewer where the network takes longer

// Falls of the score for every pixel that the network sees, or null where `going` says no.
async function occlude(network, numbers, shape, best, going) {
  const [height, width, channels] = shape, begin = performance.now();
  const whole = network.answer(numbers, shape).outputs[best], seconds = (performance.now() - begin) / 1000;
  let side = 2 * Math.max(1, Math.round(Math.min(height, width) / 10)), stride = Math.max(1, side / 2);
  while ((height / stride + 1) * (width / stride + 1) * seconds > SECONDS && stride < Math.min(height, width) / 4) {
    stride++;
    side = Math.max(side, stride);
  }
  const falls = new Float64Array(height * width), counts = new Float64Array(height * width);
  let rest = performance.now();
  for (let top = stride - side; top < height; top += stride) for (let left = stride - side; left < width; left += stride) {
    if (performance.now() - rest > 40) {
      await pause();
      if (!going()) return null;
      rest = performance.now();
    }
    const covered = Float32Array.from(numbers);
    const rows = [Math.max(top, 0), Math.min(top + side, height)];
    const columns = [Math.max(left, 0), Math.min(left + side, width)];
    for (let row = rows[0]; row < rows[1]; row++) {
      covered.fill(0, (row * width + columns[0]) * channels, (row * width + columns[1]) * channels);
    }
    const fall = whole - network.answer(covered, shape).outputs[best];
    for (let row = rows[0]; row < rows[1]; row++) for (let column = columns[0]; column < columns[1]; column++) {
      falls[row * width + column] += fall;
      counts[row * width + column]++;
    }
  }
  return falls.map((fall, i) => fall / counts[i]);
}

// The picture in grey, with one colour where covering it takes away and another where it adds, as `residua explain` draws it.
function drawMap(canvas, bytes, falls, [height, width, channels], colours) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  const most = strongest(falls), inks = ["for", "against"].map((side) => inkOf(colours[side]));
  for (let pixel = 0, at = 0; pixel < height * width; pixel++, at += channels) {
    const share = Math.min(Math.max(falls[pixel] / most, -1), 1), much = 0.92 * Math.abs(share) ** 0.9;
    const seen = channels === 3 ? 0.299 * bytes[at] + 0.587 * bytes[at + 1] + 0.114 * bytes[at + 2] : bytes[at];
    inks[share >= 0 ? 0 : 1].forEach((ink, i) => {
      image.data[4 * pixel + i] = (1 - much) * (60 + 0.76 * seen) + much * ink; // lighter, so that colours stand out
    });
    image.data[4 * pixel + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

const inkOf = (colour) => [1, 3, 5].map((from) => parseInt(colour.slice(from, from + 2), 16));

// The fall that has the full colour: the 99th percentile of sizes, as single pixels would leave the rest pale.
function strongest(falls) {
  const sizes = Float64Array.from(falls, Math.abs).sort(), place = 0.99 * (sizes.length - 1), below = Math.floor(place);
  const rest = (sizes[Math.min(below + 1, sizes.length - 1)] - sizes[below]) * (place - below);
  return sizes[below] + rest || sizes[sizes.length - 1] || 1;
}

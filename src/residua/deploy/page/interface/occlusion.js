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

// The picture as the network sees it, under orange where covering it takes most away.
function drawMap(canvas, bytes, falls, [height, width, channels]) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  const most = Math.max(...falls, 1e-12);
  for (let pixel = 0; pixel < height * width; pixel++) {
    const share = 0.75 * Math.max(falls[pixel] / most, 0);
    [255, 120, 0].forEach((orange, i) => {
      const grey = bytes[pixel * channels + (channels === 3 ? i : 0)];
      image.data[4 * pixel + i] = (1 - share) * (0.8 * grey + 40) + share * orange;
    });
    image.data[4 * pixel + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

// What both kinds of explanations have in common.

const pause = () => new Promise((resolve) => setTimeout(resolve));

// Which ninth of the picture holds most: 0 at the top left to 8 at the bottom right.
function decisivePlace(falls, [height, width]) {
  const sums = new Array(9).fill(0);
  falls.forEach((fall, pixel) => {
    const row = Math.floor((3 * Math.floor(pixel / width)) / height);
    sums[3 * row + Math.floor((3 * (pixel % width)) / width)] += Math.max(fall, 0);
  });
  return sums.indexOf(Math.max(...sums));
}

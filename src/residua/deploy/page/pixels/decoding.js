// A picture file to pixels: PNG and JPEG by ourselves, all others by the browser.

const MOST_PIXELS = 100_000_000;

function needPixels(width, height) {
  if (width * height > MOST_PIXELS) throw new PictureError("tooLarge", { size: `${width}×${height}` });
}

// {width, height, data, orientation, whole, exact}. shape: as `fit` takes it; whole: whether it may still be decoded at a
// part of its size; exact: whether the pixels are those that residua itself reads.
async function decode(file, shape) {
  const bytes = new Uint8Array(await file.arrayBuffer()), kind = kindOf(bytes);
  if (!bytes.length) throw new PictureError("empty");
  const { orientation, profile } = readMetadata(bytes, kind), jpeg = kind === "jpeg";
  if (kind === "png" && !profile) {
    try {
      return { ...(await decodePng(bytes)), orientation, exact: true };
    } catch (error) {
      throw error instanceof PictureError ? error : new PictureError("damaged");
    }
  }
  if (jpeg && !profile) {
    const pixels = decodeJpeg(bytes, orientation, shape);
    if (pixels) return { ...pixels, orientation, exact: true };
  }
  if (kind === "tiff" || kind === "heic") throw new PictureError("unreadable", { kind: kind.toUpperCase() });
  let bitmap;
  try {
    bitmap = await createImageBitmap(new Blob([bytes]), {
      colorSpaceConversion: profile ? "default" : "none",
      premultiplyAlpha: "none",
    });
  } catch {
    throw new PictureError(kind === "unknown" ? "noPicture" : "damaged");
  }
  try {
    return { ...pixelsOf(bitmap), orientation, whole: jpeg, exact: false };
  } finally {
    bitmap.close();
  }
}

// A JPEG's pixels at the size at which they are read; null for one that is left to the browser.
function decodeJpeg(bytes, orientation, shape) {
  try {
    const jpeg = readJpeg(bytes);
    return jpegPixels(jpeg, partOf({ width: jpeg.width, height: jpeg.height, orientation }, shape));
  } catch (error) {
    if (error instanceof PictureError) throw error;
    return null;
  }
}

// A picture's bytes, in strips: telephones have no canvas for a whole photograph.
function pixelsOf(source) {
  const { width, height } = source;
  needPixels(width, height);
  const strip = Math.min(height, 512), data = new Uint8Array(4 * width * height);
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = strip;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new PictureError("tooLarge", { size: `${width}×${height}` });
  for (let top = 0; top < height; top += strip) {
    const rows = Math.min(strip, height - top);
    context.clearRect(0, 0, width, strip);
    context.drawImage(source, 0, -top);
    data.set(context.getImageData(0, 0, width, rows).data, 4 * top * width);
  }
  return { width, height, data };
}

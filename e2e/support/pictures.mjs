// Pictures as test data: the brightness of each square of a picture, and sheets of many pictures.

/** Side of a square, in pixels: two letters wide. */
const SIDE = 20;
/** Levels of 255 by which a square's mean brightness may differ: an eighth of what a changed letter makes. */
const TOLERANCE = 2;

/** Runs a function in a page that has the functions of this file and the pictures (PNG files). */
const inPage = (page, shots, use, rest) =>
  page.evaluate(
    async ([shots, use, rest]) => {
      const images = shots.map(async (base64) => {
        const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
        return createImageBitmap(new Blob([bytes], { type: "image/png" }));
      });
      return new Function("images", "rest", `return (${use})(images, rest)`)(await Promise.all(images), rest);
    },
    [shots.map((shot) => shot.toString("base64")), String(use), rest],
  );

/** `WIDTHxHEIGHT` and the mean brightness of each square, in lines from the top, two hexadecimal digits each. */
export const fingerprint = (page, shot) =>
  inPage(
    page,
    [shot],
    ([image], side) => {
      const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
      context.drawImage(image, 0, 0);
      let squares = "";
      for (let y = 0; y < image.height; y += side) {
        for (let x = 0; x < image.width; x += side) {
          const { data } = context.getImageData(x, y, Math.min(side, image.width - x), Math.min(side, image.height - y));
          let sum = 0;
          for (let at = 0; at < data.length; at += 4) sum += 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
          squares += Math.round(sum / (data.length / 4)).toString(16).padStart(2, "0");
        }
      }
      return `${image.width}x${image.height} ${squares}`;
    },
    SIDE,
  );

/** The visible differences of two fingerprints: `x,y` of the squares' upper left corners; or that the sizes differ. */
export function differences(one, other) {
  const [[size, a], [otherSize, b]] = [one, other].map((text = "none ") => text.split(" "));
  if (size !== otherSize) return [`${size} instead of ${otherSize}`];
  const columns = Math.ceil(Number.parseInt(size, 10) / SIDE);
  const level = (squares, n) => Number.parseInt(squares.slice(2 * n, 2 * n + 2), 16);
  const all = Array.from({ length: a.length / 2 }, (_, n) => n);
  return all.filter((n) => Math.abs(level(a, n) - level(b, n)) > TOLERANCE).map((n) => `${(n % columns) * SIDE},${Math.floor(n / columns) * SIDE}`);
}

/** A PNG file with all the pictures at half their size, in rows, each under its name. */
export const sheet = async (page, shots) =>
  Buffer.from(
    await inPage(
      page,
      Object.values(shots),
      async (images, names) => {
        const [columns, gap, label] = [Math.min(7, images.length), 12, 20];
        const [width, height] = [images[0].width / 2, images[0].height / 2];
        const canvas = new OffscreenCanvas(columns * (width + gap) + gap, Math.ceil(images.length / columns) * (height + label + gap) + gap);
        const context = canvas.getContext("2d");
        context.fillStyle = "#d4d4d8";
        context.fillRect(0, 0, canvas.width, canvas.height);
        context.imageSmoothingQuality = "high";
        context.font = "13px sans-serif";
        images.forEach((image, n) => {
          const [x, y] = [gap + (n % columns) * (width + gap), gap + Math.floor(n / columns) * (height + label + gap)];
          context.fillStyle = "#18181b";
          context.fillText(names[n], x, y + label - 6);
          context.drawImage(image, x, y + label, width, height);
        });
        const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
        let binary = "";
        for (const byte of bytes) binary += String.fromCharCode(byte);
        return btoa(binary);
      },
      Object.keys(shots),
    ),
    "base64",
  );

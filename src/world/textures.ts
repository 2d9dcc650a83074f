import type { Random } from '../numeric/random.ts';

/** Red, green, blue in [0, 1]. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** A colour at every point of the plane; x to the right, y down, in pixels. */
export type Texture = (x: number, y: number) => Rgb;

/** Uniform in [from, to). */
export const between = (random: Random, from: number, to: number): number =>
  from + (to - from) * random.next();

/** One of the choices, all equally likely. */
export const oneOf = <T>(random: Random, choices: readonly T[]): T =>
  choices[random.int(choices.length)]!;

export const mixColours = (a: Rgb, b: Rgb, t: number): Rgb => [
  a[0] + (b[0] - a[0]) * t,
  a[1] + (b[1] - a[1]) * t,
  a[2] + (b[2] - a[2]) * t,
];

export const dim = (colour: Rgb, factor: number): Rgb => [
  colour[0] * factor,
  colour[1] * factor,
  colour[2] * factor,
];

/** Hue, saturation and value, each in [0, 1], as red, green and blue. */
export const colourOf = (hue: number, saturation: number, value: number): Rgb => {
  const channel = (offset: number): number => {
    const k = (offset + hue * 6) % 6;
    return value * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1)));
  };
  return [channel(5), channel(3), channel(1)];
};

export const drawColour = (random: Random): Rgb =>
  colourOf(random.next(), between(random, 0.25, 0.9), between(random, 0.3, 0.95));

/** Stripes of any orientation; both colours have one hue, so that hue and orientation vary independently. */
const drawStripes = (random: Random): Texture => {
  const hue = random.next();
  const light = colourOf(hue, between(random, 0.2, 0.8), between(random, 0.65, 1));
  const dark = dim(light, between(random, 0.25, 0.6));
  const angle = between(random, 0, Math.PI);
  const frequency = (2 * Math.PI) / between(random, 4.5, 8.5);
  const [cos, sin] = [Math.cos(angle) * frequency, Math.sin(angle) * frequency];
  const phase = between(random, 0, 2 * Math.PI);
  return (x, y) => mixColours(dark, light, 0.5 + 0.5 * Math.sin(x * cos + y * sin + phase));
};

const drawSpots = (random: Random): Texture => {
  const ground = drawColour(random);
  const spot = drawColour(random);
  const frequency = (2 * Math.PI) / between(random, 6, 12);
  const phase = between(random, 0, 2 * Math.PI);
  return (x, y) => {
    const wave = Math.sin(x * frequency + phase) * Math.sin(y * frequency - phase);
    return wave > 0.35 || wave < -0.35 ? spot : ground;
  };
};

/** Value noise: random values on a lattice of the given pitch, smoothly interpolated, wrapped after 64 cells. */
const drawNoise = (random: Random, pitch: number): ((x: number, y: number) => number) => {
  const size = 64;
  const lattice = Float64Array.from({ length: size * size }, () => random.next());
  const wrap = (i: number): number => ((i % size) + size) % size;
  const smooth = (t: number): number => t * t * (3 - 2 * t);
  return (x, y) => {
    const [u, v] = [x / pitch, y / pitch];
    const [i, j] = [Math.floor(u), Math.floor(v)];
    const [s, t] = [smooth(u - i), smooth(v - j)];
    const [left, right] = [wrap(i), wrap(i + 1)];
    const [top, bottom] = [wrap(j) * size, wrap(j + 1) * size];
    const above = lattice[top + left]! * (1 - s) + lattice[top + right]! * s;
    const below = lattice[bottom + left]! * (1 - s) + lattice[bottom + right]! * s;
    return above * (1 - t) + below * t;
  };
};

const drawGrain = (random: Random): Texture => {
  const [a, b] = [drawColour(random), drawColour(random)];
  const coarse = drawNoise(random, between(random, 5, 12));
  const fine = drawNoise(random, 2.5);
  return (x, y) => mixColours(a, b, 0.65 * coarse(x, y) + 0.35 * fine(x, y));
};

/** A seeded texture: mostly stripes, which carry orientation; spots and grain carry contrast without it. */
export const drawTexture = (random: Random): Texture => {
  const kind = random.next();
  if (kind < 0.6) return drawStripes(random);
  return kind < 0.75 ? drawSpots(random) : drawGrain(random);
};

/** A patchwork of textures with wavy borders, covering a square of `size` pixels. */
export const drawBackground = (random: Random, size: number): Texture => {
  const pieces = Array.from({ length: 8 + random.int(5) }, () => ({
    x: random.next() * size,
    y: random.next() * size,
    texture: drawTexture(random),
  }));
  const shiftX = drawNoise(random, 18);
  const shiftY = drawNoise(random, 18);
  return (x, y) => {
    const [u, v] = [x + 14 * (shiftX(x, y) - 0.5), y + 14 * (shiftY(x, y) - 0.5)];
    let nearest = pieces[0]!;
    let least = Number.POSITIVE_INFINITY;
    for (const piece of pieces) {
      const distance = (u - piece.x) ** 2 + (v - piece.y) ** 2;
      if (distance < least) [nearest, least] = [piece, distance];
    }
    return nearest.texture(x, y);
  };
};

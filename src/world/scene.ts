import type { Random } from '../numeric/random.ts';
import { createRandom } from '../numeric/random.ts';
import type { Pixels } from '../records/ports.ts';
import { type Normal, type ObjectClass, objectClasses, surfaces } from './shapes.ts';
import {
  between,
  dim,
  drawBackground,
  drawColour,
  drawTexture,
  mixColours,
  oneOf,
  type Rgb,
  type Texture,
} from './textures.ts';

/** An object as it was placed: centre and radius in pixels, rotation in radians. */
export interface SceneObject {
  readonly category: ObjectClass;
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly rotation: number;
}

/** A rendered scene with what is known of it. */
export interface Scene {
  readonly id: string;
  readonly pixels: Pixels;
  /** Back to front. */
  readonly objects: readonly SceneObject[];
  /** Category of the largest object. */
  readonly label: ObjectClass;
  /** `[height · width]`: 1 + index of the object seen at a pixel, 0 for the background. */
  readonly objectOfPixel: Uint8Array;
}

export interface SceneSettings {
  readonly seed: number;
  readonly count: number;
  /** Side of the square image in pixels. */
  readonly size: number;
  readonly objects: number;
}

/** Something that covers what is behind it. */
interface Cover {
  /** 1 + index of the object; 0 for clutter. */
  readonly object: number;
  readonly x: number;
  readonly y: number;
  /** No point is farther from (x, y). */
  readonly reach: number;
  /** Null where it is not. */
  colourAt(x: number, y: number): Rgb | null;
}

const drawLight = (random: Random): Normal => {
  const angle = between(random, 0, 2 * Math.PI);
  return [0.7 * Math.cos(angle), 0.7 * Math.sin(angle), Math.sqrt(1 - 0.49)];
};

/** Lambert's cosine law with an ambient part. */
const lambert = (normal: Normal, light: Normal): number =>
  0.3 + 0.8 * Math.max(0, normal[0] * light[0] + normal[1] * light[1] + normal[2] * light[2]);

/** A small bar or disc that belongs to no object. */
const drawClutter = (random: Random, size: number): Cover => {
  const [x0, y0] = [random.next() * size, random.next() * size];
  const angle = between(random, 0, Math.PI);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const length = between(random, 2, 9);
  const width = random.next() < 0.3 ? length : between(random, 0.8, 2);
  const colour = drawColour(random);
  const colourAt = (x: number, y: number): Rgb | null => {
    const u = ((x - x0) * cos + (y - y0) * sin) / length;
    const v = ((y - y0) * cos - (x - x0) * sin) / width;
    return u * u + v * v < 1 ? colour : null;
  };
  return { object: 0, x: x0, y: y0, reach: length, colourAt };
};

const drawObject = (random: Random, size: number): SceneObject => {
  const radius = between(random, 0.1, 0.19) * size;
  return {
    category: oneOf(random, objectClasses),
    x: between(random, radius * 0.7, size - radius * 0.7),
    y: between(random, radius * 0.7, size - radius * 0.7),
    radius,
    rotation: between(random, 0, 2 * Math.PI),
  };
};

const coverOf = (
  object: SceneObject,
  index: number,
  texture: Texture,
  paint: Rgb,
  light: Normal,
): Cover => {
  const surface = surfaces[object.category];
  const cos = Math.cos(object.rotation);
  const sin = Math.sin(object.rotation);
  const colourAt = (x: number, y: number): Rgb | null => {
    const dx = (x - object.x) / object.radius;
    const dy = (y - object.y) / object.radius;
    const normal = surface(dx * cos + dy * sin, dy * cos - dx * sin);
    if (normal === null) return null;
    const turned: Normal = [
      normal[0] * cos - normal[1] * sin,
      normal[0] * sin + normal[1] * cos,
      normal[2],
    ];
    return dim(mixColours(paint, texture(x, y), 0.55), lambert(turned, light));
  };
  return { object: index + 1, x: object.x, y: object.y, reach: 1.25 * object.radius, colourAt };
};

const toByte = (value: number): number => Math.max(0, Math.min(255, Math.round(value * 255)));

/** Four samples per pixel, at the centres of its quarters. */
const quarters = [0.25, 0.75];

/** Covers that may be seen at height y, front first. */
const coversInRow = (covers: readonly Cover[], y: number): Cover[] =>
  covers.filter((cover) => Math.abs(cover.y - y) <= cover.reach + 1);

const foremost = (
  covers: readonly Cover[],
  x: number,
  y: number,
): { object: number; colour: Rgb } | null => {
  for (let k = 0; k < covers.length; k++) {
    const cover = covers[k]!;
    if (Math.abs(cover.x - x) > cover.reach) continue;
    const colour = cover.colourAt(x, y);
    if (colour !== null) return { object: cover.object, colour };
  }
  return null;
};

/** Pixels of covers on a background, with pixel noise of 1.5 %; and the object seen at each pixel's centre. */
const render = (
  size: number,
  background: Texture,
  covers: readonly Cover[],
  noise: Random,
): { data: Uint8Array; objectOfPixel: Uint8Array } => {
  const data = new Uint8Array(size * size * 3);
  const objectOfPixel = new Uint8Array(size * size);
  for (let y = 0; y < size; y++) {
    const near = coversInRow(covers, y);
    for (let x = 0; x < size; x++) {
      const sum = [0, 0, 0] as [number, number, number];
      for (const dy of quarters)
        for (const dx of quarters) {
          const colour = foremost(near, x + dx, y + dy)?.colour ?? background(x + dx, y + dy);
          for (let c = 0; c < 3; c++) sum[c]! += colour[c]!;
        }
      const pixel = y * size + x;
      const grain = 0.015 * noise.normal();
      for (let c = 0; c < 3; c++) data[pixel * 3 + c] = toByte(sum[c]! / 4 + grain);
      objectOfPixel[pixel] = foremost(near, x + 0.5, y + 0.5)?.object ?? 0;
    }
  }
  return { data, objectOfPixel };
};

const drawScene = (random: Random, id: string, size: number, objectCount: number): Scene => {
  const background = drawBackground(random.fork('background'), size);
  const clutterRandom = random.fork('clutter');
  const clutter = Array.from({ length: 30 }, () => drawClutter(clutterRandom, size));
  const objectRandom = random.fork('objects');
  const light = drawLight(objectRandom);
  const objects = Array.from({ length: objectCount }, () => drawObject(objectRandom, size));
  const covers = objects.map((object, index) =>
    coverOf(object, index, drawTexture(objectRandom), drawColour(objectRandom), light),
  );
  const frontFirst = [...covers.reverse(), ...clutter];
  const { data, objectOfPixel } = render(size, background, frontFirst, random.fork('noise'));
  const largest = objects.reduce((best, each) => (each.radius > best.radius ? each : best));
  return {
    id,
    pixels: { width: size, height: size, channels: 3, data },
    objects,
    label: largest.category,
    objectOfPixel,
  };
};

/** Seeded scenes: shaded, textured objects on a patchwork of textures with clutter. Ids are `scene-01`, …  */
export const drawScenes = ({ seed, count, size, objects }: SceneSettings): Scene[] =>
  Array.from({ length: count }, (_, index) => {
    const id = `scene-${String(index + 1).padStart(2, '0')}`;
    return drawScene(createRandom(seed).fork(id), id, size, objects);
  });

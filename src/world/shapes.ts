export const objectClasses = ['ball', 'box', 'cone', 'cylinder', 'ring', 'star'] as const;
export type ObjectClass = (typeof objectClasses)[number];

/** What is seen of a surface at one point: its outward normal (z towards the eye, unit length). */
export type Normal = readonly [x: number, y: number, z: number];

const unit = (x: number, y: number, z: number): Normal => {
  const length = Math.hypot(x, y, z);
  return [x / length, y / length, z / length];
};

/** A surface in its own frame: the normal at (u, v), or null where the object is not. Radius about 1. */
type Surface = (u: number, v: number) => Normal | null;

const ball: Surface = (u, v) => {
  const square = 1 - u * u - v * v;
  return square <= 0 ? null : [u, v, Math.sqrt(square)];
};

/** A cube seen from a corner: a hexagon of three faces. */
const box: Surface = (u, v) => {
  const half = Math.sqrt(3) / 2;
  if (Math.abs(u) > half || Math.abs(v) + Math.abs(u) / Math.sqrt(3) > 1) return null;
  if (v < -Math.abs(u) / Math.sqrt(3)) return unit(0, -0.82, 0.57);
  return u < 0 ? unit(-0.71, 0.41, 0.57) : unit(0.71, 0.41, 0.57);
};

const cone: Surface = (u, v) => {
  const width = 0.75 * ((v + 1) / 2);
  if (v < -1 || v > 0.9 || Math.abs(u) >= width) return null;
  const across = u / width;
  return unit(across, -0.35, Math.sqrt(1 - across * across) + 0.05);
};

const cylinder: Surface = (u, v) => {
  if (((v + 0.75) / 0.25) ** 2 + (u / 0.6) ** 2 < 1) return unit(0, -0.9, 0.4);
  if (Math.abs(u) >= 0.6 || v < -0.75 || v > 0.9) return null;
  const across = u / 0.6;
  return unit(across, 0, Math.sqrt(1 - across * across) + 0.02);
};

const ring: Surface = (u, v) => {
  const distance = Math.hypot(u, v);
  const across = (distance - 0.7) / 0.3;
  if (across * across >= 1) return null;
  return unit((across * u) / distance, (across * v) / distance, Math.sqrt(1 - across * across));
};

/** Five points, each of two facets. */
const star: Surface = (u, v) => {
  const turn = (2 * Math.PI) / 5;
  const angle = Math.atan2(u, -v) + turn * 5;
  const within = (angle % turn) / turn - 0.5;
  const edge = 1 - 1.2 * (0.5 - Math.abs(within));
  if (Math.hypot(u, v) > edge) return null;
  const facing = angle - (within > 0 ? 0.4 : -0.4);
  return unit(0.5 * Math.sin(facing), -0.5 * Math.cos(facing), 0.8);
};

/** The visible surface of each class. */
export const surfaces: Readonly<Record<ObjectClass, Surface>> = {
  ball,
  box,
  cone,
  cylinder,
  ring,
  star,
};

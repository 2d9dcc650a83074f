/** A seeded stream of random numbers; the same seed gives the same stream on every machine. */
export interface Random {
  /** Uniform in [0, 1) with 53 random bits. */
  next(): number;
  /** Uniform integer in [0, n); `n` a positive integer up to 2^32. */
  int(n: number): number;
  /** Standard normal. */
  normal(): number;
  /** Poisson count with mean `rate` ≥ 0. */
  poisson(rate: number): number;
  /** A uniformly drawn order of 0 … n − 1. */
  permutation(n: number): Int32Array;
  /** An independent stream, decided by this stream's seed and the label alone, not by what was drawn before. */
  fork(label: string): Random;
}

/** Seed expansion: a 32-bit multiply-xorshift hash over UTF-16 units (the "xmur3" construction on MurmurHash3). */
const hashWords = (text: string): (() => number) => {
  let h = 1779033703 ^ text.length;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 3432918353);
    h = (h << 13) | (h >>> 19);
  }
  return () => {
    h = Math.imul(h ^ (h >>> 16), 2246822507);
    h = Math.imul(h ^ (h >>> 13), 3266489909);
    h ^= h >>> 16;
    return h >>> 0;
  };
};

/** sfc32 (Doty-Humphrey, PractRand): 128 bits of state, 32 bits out. */
const createWords = (seed: string): (() => number) => {
  const word = hashWords(seed);
  let a = word() | 0;
  let b = word() | 0;
  let c = word() | 0;
  let counter = 1;
  const draw = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) draw();
  return draw;
};

/** Knuth's product of uniforms; time grows with the rate, so only for small ones. */
const smallPoisson = (rate: number, next: () => number): number => {
  const limit = Math.exp(-rate);
  let count = 0;
  for (let product = next(); product > limit; product *= next()) count++;
  return count;
};

/** ln k! by Stirling's series; exact products below 10, where the series is short of precision. */
const logFactorial = (k: number): number => {
  if (k < 10) {
    let product = 1;
    for (let i = 2; i <= k; i++) product *= i;
    return Math.log(product);
  }
  const n = k + 1;
  const inverse = 1 / n;
  const square = inverse * inverse;
  return (
    (n - 0.5) * Math.log(n) -
    n +
    0.5 * Math.log(2 * Math.PI) +
    inverse * (1 / 12 - square * (1 / 360 - square / 1260))
  );
};

/** Transformed rejection PTRS, for rates ≥ 10 (Hörmann 1993, Insurance: Mathematics and Economics 12). */
const largePoisson = (rate: number, next: () => number): number => {
  const b = 0.931 + 2.53 * Math.sqrt(rate);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const vr = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const u = next() - 0.5;
    const v = 1 - next();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= vr) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    const accepted =
      Math.log((v * inverseAlpha) / (a / (us * us) + b)) <=
      k * Math.log(rate) - rate - logFactorial(k);
    if (accepted) return k;
  }
};

/** Seeds are told apart by type as well: 1 and '1' are different streams. */
export const createRandom = (seed: number | string): Random => {
  const name = typeof seed === 'number' ? `number:${seed}` : `text:${seed}`;
  const word = createWords(name);

  const next = (): number => ((word() >>> 5) * 67108864 + (word() >>> 6)) / 9007199254740992;

  const int = (n: number): number => {
    let drawn = word();
    if (drawn > 4294967296 - n) {
      // Rejection keeps every value equally likely.
      const limit = 4294967296 - (4294967296 % n);
      while (drawn >= limit) drawn = word();
    }
    // The remainder, exactly: a remainder of numbers beyond 31 bits takes several times as long.
    return drawn - Math.floor(drawn / n) * n;
  };

  // Marsaglia's polar method makes normals in pairs.
  let spare: number | null = null;
  const normal = (): number => {
    if (spare !== null) {
      const kept = spare;
      spare = null;
      return kept;
    }
    for (;;) {
      const x = 2 * next() - 1;
      const y = 2 * next() - 1;
      const s = x * x + y * y;
      if (s === 0 || s >= 1) continue;
      const factor = Math.sqrt((-2 * Math.log(s)) / s);
      spare = y * factor;
      return x * factor;
    }
  };

  const permutation = (n: number): Int32Array => {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = int(i + 1);
      const kept = order[i]!;
      order[i] = order[j]!;
      order[j] = kept;
    }
    return order;
  };

  return {
    next,
    int,
    normal,
    poisson: (rate) => (rate < 10 ? smallPoisson(rate, next) : largePoisson(rate, next)),
    permutation,
    fork: (label) => createRandom(`${name}/${label}`),
  };
};

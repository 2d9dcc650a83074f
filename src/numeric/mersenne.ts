import { inputError } from '../records/errors.ts';

/**
 * NumPy's legacy `RandomState`, for sequences that others have published with a seed; `numeric/random.ts` is ours. The
 * stream is frozen by NumPy's compatibility policy (NEP 19).
 */
export interface Mersenne {
  /** The next 32 bits. */
  word(): number;
  /** `random_sample()`: uniform in [0, 1) with 53 random bits. */
  sample(): number;
  /** `randint(n)`: uniform in 0 … n − 1, n ≤ 2³². */
  int(n: number): number;
  /** `permutation(n)`: an order of 0 … n − 1. */
  permutation(n: number): Int32Array;
  /** `permutation(values)`: a shuffled copy. */
  shuffled(values: Int32Array): Int32Array;
}

const SIZE = 624;
const SHIFT = 397;

/** Matsumoto & Nishimura 1998, ACM Transactions on Modeling and Computer Simulation 8: the recurrence of MT19937. */
const regenerate = (state: Uint32Array): void => {
  for (let k = 0; k < SIZE; k++) {
    const y = (state[k]! & 0x80000000) | (state[(k + 1) % SIZE]! & 0x7fffffff);
    state[k] = state[(k + SHIFT) % SIZE]! ^ (y >>> 1) ^ ((y & 1) === 0 ? 0 : 0x9908b0df);
  }
};

/** `numpy.random.RandomState(seed)`. Throws an input error where the seed is not a whole number of 32 bits. */
export const createMersenne = (seed: number): Mersenne => {
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32)
    throw inputError({
      where: 'seed',
      expected: 'a whole number from 0 to 4294967295, as NumPy does',
      got: String(seed),
      mend: 'give another seed',
    });
  const state = new Uint32Array(SIZE);
  state[0] = seed;
  for (let k = 1; k < SIZE; k++) {
    const last = state[k - 1]!;
    state[k] = Math.imul(1812433253, last ^ (last >>> 30)) + k;
  }
  let position = SIZE;

  const word = (): number => {
    if (position === SIZE) {
      regenerate(state);
      position = 0;
    }
    let y = state[position++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };

  // NumPy's random_interval: masked to the next power of two, drawn again where too large; nothing is drawn for 0.
  const upTo = (most: number): number => {
    if (most === 0) return 0;
    const mask = 2 ** (32 - Math.clz32(most)) - 1;
    for (;;) {
      const value = (word() & mask) >>> 0;
      if (value <= most) return value;
    }
  };

  const shuffled = (values: Int32Array): Int32Array => {
    const result = values.slice();
    for (let i = result.length - 1; i > 0; i--) {
      const j = upTo(i);
      const kept = result[i]!;
      result[i] = result[j]!;
      result[j] = kept;
    }
    return result;
  };

  return {
    word,
    sample: () => {
      const high = word() >>> 5;
      return (high * 67108864 + (word() >>> 6)) / 9007199254740992;
    },
    int: (n) => upTo(n - 1),
    permutation: (n) => shuffled(Int32Array.from({ length: n }, (_, i) => i)),
    shuffled,
  };
};

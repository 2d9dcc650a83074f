const bits = 11;
const buckets = 2 ** bits;

/** Unsigned keys that order as the numbers do (IEEE 754: the sign flips all bits, or its own); −0 is 0. */
const keysOf = (values: Float32Array): Uint32Array => {
  const keys = new Uint32Array(values.map((value) => value + 0).buffer);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    keys[i] = key & 0x80000000 ? ~key : key | 0x80000000;
  }
  return keys;
};

/**
 * The indices of `values` in ascending order, equal values in the order of their indices: least significant digit
 * first, three passes of 11 bits. NaN has no place.
 */
export const ascendingOrder = (values: Float32Array): Int32Array => {
  const keys = keysOf(values);
  let order = Int32Array.from(values, (_, i) => i);
  let next = new Int32Array(values.length);
  for (let shift = 0; shift < 32; shift += bits) {
    const starts = new Int32Array(buckets + 1);
    for (let i = 0; i < keys.length; i++) starts[((keys[i]! >>> shift) & (buckets - 1)) + 1]!++;
    for (let digit = 0; digit < buckets; digit++) starts[digit + 1]! += starts[digit]!;
    for (let i = 0; i < order.length; i++) {
      const index = order[i]!;
      next[starts[(keys[index]! >>> shift) & (buckets - 1)]!++] = index;
    }
    [order, next] = [next, order];
  }
  return order;
};

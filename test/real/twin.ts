import { readModel } from '../../src/graph/read.ts';
import { TENSOR } from '../../src/graph/schema.ts';
import { fieldsOf } from '../../src/graph/wire.ts';
import { createRandom } from '../../src/numeric/random.ts';

/**
 * The same graph with fresh weights: kernels from a normal distribution with variance 2 / fan-in, biases 0. Weights
 * are rewritten in place, in their raw bytes.
 */
export const randomTwin = (model: Uint8Array, seed: number): Uint8Array => {
  const bytes = model.slice();
  const random = createRandom(seed);
  const source = { bytes, name: 'twin' };
  for (const { range, dims, type } of readModel(bytes, 'twin').initialisers) {
    // Scalars are bounds of a Clip, not weights.
    if (type !== 'float32' || dims.length === 0) continue;
    const fanIn = dims.slice(1).reduce((product, size) => product * size, 1);
    const scale = dims.length > 1 ? Math.sqrt(1 / fanIn) : 0;
    // `range` begins with the field's own key: the tensor is its one field.
    for (const tensor of fieldsOf(source, range.from, range.to))
      for (const field of fieldsOf(source, tensor.from, tensor.to)) {
        if (field.number !== TENSOR.rawData) continue;
        const view = new DataView(
          bytes.buffer,
          bytes.byteOffset + field.from,
          field.to - field.from,
        );
        for (let at = 0; at < view.byteLength; at += 4)
          view.setFloat32(at, scale * random.normal(), true);
      }
  }
  return bytes;
};

import { encodeText } from '../formats/text.ts';
import { decodeTensor } from '../graph/decode-tensor.ts';
import type { Initialiser } from '../graph/graph.ts';
import { readModel } from '../graph/read.ts';
import type { ReadTensor } from '../graph/read-tensor.ts';
import { replaceConstants } from '../graph/replace.ts';
import { type ElementType, elementBytes } from '../graph/schema.ts';
import { sizeOf } from '../numeric/array.ts';
import { bfloat16Bits, float16Bits } from '../numeric/convert.ts';
import { createRandom, type Random } from '../numeric/random.ts';
import type { ArrayData } from '../records/array.ts';
import type { Ports } from '../records/ports.ts';
import type { Network } from './network.ts';
import { floatConstants, type Role, rolesOf } from './twin-roles.ts';
import { viewOf } from './view.ts';

/** A network's twin, or in words why it has none. */
export type Twin =
  | { readonly network: Network; readonly note: string | null }
  | { readonly network: null; readonly note: string };

/** Protobuf, and so a model in memory, ends at 2 GB. */
const LARGEST = 2 ** 31 - 2 ** 20;

const drawn = (count: number, type: ElementType, draw: () => number): ArrayData => {
  const length = { length: count };
  if (type === 'float64') return Float64Array.from(length, draw);
  if (type === 'float16') return Uint16Array.from(length, () => float16Bits(draw()));
  if (type === 'bfloat16') return Uint16Array.from(length, () => bfloat16Bits(draw()));
  const data = new Float32Array(count);
  for (let i = 0; i < count; i++) data[i] = draw();
  return data;
};

const made = ({ name, type, dims }: ReadTensor, role: Role, random: Random): Initialiser => {
  const draw = role.kind === 'constant' ? () => role.value : () => role.deviation * random.normal();
  return { name, array: { data: drawn(sizeOf(dims), type, draw), shape: dims }, type };
};

/** The tensor's own part of its external file. */
const externalPart = async (
  { externalData }: Network,
  tensor: ReadTensor,
): Promise<[ReadTensor, Record<string, Uint8Array>]> => {
  if (tensor.external === null) return [tensor, {}];
  const { location, offset } = tensor.external;
  const length = sizeOf(tensor.dims) * elementBytes(tensor.type);
  const { files, path } = externalData.find(({ name }) => name === location)!;
  const bytes = await files.readRange(path, offset, offset + length);
  return [{ ...tensor, external: { location, offset: 0, length } }, { [location]: bytes }];
};

const isMask = async (network: Network, tensor: ReadTensor): Promise<boolean> => {
  const [read, external] = await externalPart(network, tensor);
  const { bytes, name } = network;
  const values = new Set<number | bigint>();
  for (const value of decodeTensor({ bytes, name }, read, external).data) {
    values.add(value);
    if (values.size > 2) return false;
  }
  return true;
};

/**
 * A network of the same architecture with fresh random weights: the same graph, in which every constant that was trained (`rolesOf`)
 * begins anew, drawn from its own seeded stream. Weights, also those of external data, lie inside the twin's bytes.
 * Folded batch norms are no nodes any more: their scales went into weights and biases, which begin anew with them.
 */
export const randomTwin = async (
  network: Network,
  seed: number,
  { hash, checkStop }: Pick<Ports, 'hash' | 'checkStop'>,
): Promise<Twin> => {
  const { bytes, structure, name } = network;
  const { roles, products, drawn: drawnProducts } = rolesOf(viewOf(structure, null));
  if (drawnProducts === 0)
    return { network: null, note: 'it has no float weights that could be drawn anew' };
  const constants = floatConstants(structure).filter((each) => roles.has(each.name));
  const size = constants.reduce(
    (sum, { dims, type }) => sum + sizeOf(dims) * elementBytes(type),
    0,
  );
  if (size + bytes.length > LARGEST)
    return { network: null, note: 'its weights are more than fit in one model of 2 GB' };
  const random = createRandom(seed).fork('random twin');
  const fresh: Initialiser[] = [];
  for (const constant of constants) {
    checkStop();
    const role = roles.get(constant.name)!;
    if (role.kind === 'table' && (await isMask(network, constant))) continue;
    fresh.push(made(constant, role, random.fork(constant.name)));
  }
  const twin = replaceConstants(bytes, structure, fresh);
  const twinStructure = readModel(twin, name);
  // What the twin still reads from other files is part of what it computes.
  const rest = twinStructure.external.length > 0 ? [encodeText(network.sha256)] : [];
  return {
    network: {
      name,
      bytes: twin,
      structure: twinStructure,
      input: network.input,
      externalData: network.externalData,
      path: network.path,
      sha256: await hash.sha256([twin, ...rest]),
    },
    note:
      drawnProducts < products
        ? `${products - drawnProducts} of ${products} products keep their weights, which are not floats`
        : null,
  };
};

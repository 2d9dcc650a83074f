import { intsAttribute } from './attributes.ts';
import type { Operation } from './operation.ts';
import type { Facts, Sizes } from './sizes.ts';

export type Inputs = readonly Facts[];

/** Shapes of the outputs in order; `null` where not known. */
export type ShapeRule = (node: Operation, inputs: Inputs, opset: number) => (Sizes | null)[];

/** Rules by operation. */
export type ShapeRules = Readonly<Record<string, ShapeRule>>;

export const shapeAt = (inputs: Inputs, index: number): Sizes | null =>
  inputs[index]?.shape ?? null;

export const allKnown = (values: Sizes | null | undefined): readonly number[] | null =>
  values?.every((value) => value !== null) ? (values as number[]) : null;

/** A list that newer opsets give as an input and older ones as an attribute. */
export const listOf = (node: Operation, inputs: Inputs, index: number, name: string) =>
  intsAttribute(node, name) ?? allKnown(inputs[index]?.values);

/** One rule for the operations of a list of names. */
export const ruleFor = (names: string, rule: ShapeRule): ShapeRules =>
  Object.fromEntries(names.split(' ').map((name) => [name, rule]));

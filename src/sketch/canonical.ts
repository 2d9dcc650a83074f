import { withoutAliases } from '../graph/aliases.ts';
import { checkArity } from '../graph/arity.ts';
import { withoutBranches } from '../graph/branches.ts';
import { foldConstants } from '../graph/fold-constants.ts';
import type { OnnxGraph } from '../graph/graph.ts';
import { withoutRepeats } from '../graph/repeats.ts';
import { sorted, withoutDeadCode } from '../graph/rewrite.ts';
import { simplified } from '../graph/simplify.ts';
import { inputError } from '../records/errors.ts';
import { inForms } from './form.ts';
import { functionForms } from './forms-function.ts';
import { shapeForms } from './forms-shape.ts';
import { windowForms } from './forms-window.ts';

/** The version of ONNX's operations in which everything behind this file is written. */
export const CANONICAL_OPSET = 18;

const [OLDEST, NEWEST] = [7, 22];

const FORMS = { ...shapeForms, ...windowForms, ...functionForms };

/** With constants folded and branches taken until neither gives the other something to do. */
const settled = (graph: OnnxGraph): OnnxGraph => {
  for (let current = foldConstants(graph); ; ) {
    const next = withoutBranches(current);
    if (next === current) return current;
    current = foldConstants(next);
  }
};

/**
 * A graph's function in operations of opset 18 and in one form each: axes, pads and bounds are constant inputs and
 * complete, padding is explicit, shape arithmetic is folded, Identity, Dropout and other operations that do nothing are
 * gone, branches of a known condition (If) are taken, and functions that are compositions are written out. Names of inputs and outputs stay, and of initialisers that
 * no arithmetic on constants consumes; fused tensors go. What is to be varied must be an input (`initialisersToInputs`).
 *
 * Sizes should be fixed before (`fixInputs`): what needs one that is free is refused. Input errors, naming node and
 * operation: an opset below 7 or above 22, an input that is missing, dropout in training mode, and forms that opset 18 cannot say.
 */
export const canonical = (graph: OnnxGraph): OnnxGraph => {
  if (graph.opset < OLDEST || graph.opset > NEWEST) {
    throw inputError({
      where: graph.name,
      expected: `operations of an opset from ${OLDEST} to ${NEWEST}`,
      got: `opset ${graph.opset}`,
      mend: 'export the network with opset_version=18',
    });
  }
  const form = inForms(
    settled(withoutDeadCode(withoutAliases(sorted(graph)))),
    FORMS,
    CANONICAL_OPSET,
  );
  return withoutDeadCode(withoutRepeats(simplified(foldConstants(checkArity(form)))));
};

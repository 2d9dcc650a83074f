import type { ProblemCode } from './problem-codes.ts';

/**
 * What a reader of the message needs to mend bad input, in the words of the library: whoever offers it in another way says
 * it anew by `code` and `field`. The last four are phrases without a full stop.
 */
export interface Problem {
  readonly code: ProblemCode;
  /** The field of a request that it concerns, as the library has it (`layers`, `time.step`); null: the content of a file. */
  readonly field: string | null;
  /** File and field in which it was found, or field and value: `recording.json: dims[2]`, `layers: conv9`. */
  readonly where: string;
  readonly expected: string;
  readonly got: string;
  /** What the user can do about it. */
  readonly mend: string;
}

/**
 * - `input`: what the user gave cannot be used (exit code 2);
 * - `storage`: a file could not be read or written (exit code 2);
 * - `engine`: onnxruntime refused (exit code 2 where the model is at fault);
 * - `stopped`: the user interrupted (exit code 130).
 */
export type FailureKind = 'input' | 'storage' | 'engine' | 'stopped';

/** The one error that ventral throws on purpose; everything else is a defect. */
export class VentralError extends Error {
  readonly kind: FailureKind;
  readonly problem: Problem | null;

  constructor(kind: FailureKind, message: string, problem: Problem | null, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'VentralError';
    this.kind = kind;
    this.problem = problem;
  }
}

/** One line, whatever a damaged file has for a name. */
export const problemLine = ({
  where,
  expected,
  got,
  mend,
}: Omit<Problem, 'code' | 'field'>): string =>
  `${where}: expected ${expected}, got ${got}; ${mend}`.replace(/\p{Cc}+/gu, ' ');

/** A problem as it is thrown: without a code that of its kind, without a field one of no field. */
export type StatedProblem = Omit<Problem, 'code' | 'field'> &
  Partial<Pick<Problem, 'code' | 'field'>>;

const thrownAs =
  (kind: FailureKind, code: ProblemCode) =>
  (problem: StatedProblem, cause?: unknown): VentralError =>
    new VentralError(kind, problemLine(problem), { code, field: null, ...problem }, cause);

/** Without a code: `invalid-input`. */
export const inputError = thrownAs('input', 'invalid-input');

/** Without a code: `storage`. */
export const storageError = thrownAs('storage', 'storage');

/** Without a code: `engine`. */
export const engineError = thrownAs('engine', 'engine');

export const stoppedError = (): VentralError =>
  new VentralError('stopped', 'stopped before the end', null);

/** The first line of whatever was thrown, for quoting inside a message. */
export const reasonOf = (thrown: unknown): string =>
  (thrown instanceof Error ? thrown.message : String(thrown)).split('\n', 1)[0] ?? '';

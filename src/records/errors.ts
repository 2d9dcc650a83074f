/** What a reader of the message needs to mend bad input. Each field is a phrase without a full stop. */
export interface Problem {
  /** File and field (or option) in which it was found, as the user knows it: `recording.json: dims[2]`. */
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
const sentence = ({ where, expected, got, mend }: Problem): string =>
  `${where}: expected ${expected}, got ${got}; ${mend}`.replace(/\p{Cc}+/gu, ' ');

export const inputError = (problem: Problem, cause?: unknown): VentralError =>
  new VentralError('input', sentence(problem), problem, cause);

export const storageError = (problem: Problem, cause?: unknown): VentralError =>
  new VentralError('storage', sentence(problem), problem, cause);

export const engineError = (problem: Problem, cause?: unknown): VentralError =>
  new VentralError('engine', sentence(problem), problem, cause);

export const stoppedError = (): VentralError =>
  new VentralError('stopped', 'stopped before the end', null);

/** The first line of whatever was thrown, for quoting inside a message. */
export const reasonOf = (thrown: unknown): string =>
  (thrown instanceof Error ? thrown.message : String(thrown)).split('\n', 1)[0] ?? '';

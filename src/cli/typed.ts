import { type Problem, problemLine, type VentralError } from '../records/errors.ts';
import { notePhrases, optionOfField, type Wording, wordings } from './words.ts';

/** The option in place of the field that a place begins with: `layers: conv9` is `--layers conv9`. */
const placeOf = ({ where, field }: Problem): string => {
  const option = field === null ? undefined : optionOfField[field];
  if (option === undefined || field === null) return where;
  if (where === field) return option;
  return where.startsWith(`${field}: `) ? `${option} ${where.slice(field.length + 2)}` : where;
};

const reworded = (text: string, wording: Wording | undefined, field: string | null): string => {
  if (wording === undefined) return text;
  if (typeof wording === 'string')
    return wording.replace('{option}', (field === null ? null : optionOfField[field]) ?? '');
  return wording.reduce((said, [phrase, typed]) => said.replace(phrase, () => typed), text);
};

/** What the command line says of an error: the library's problem, with the options and commands that mend it. */
export const typedMessage = ({ message, problem }: VentralError): string => {
  if (problem === null) return message;
  const { expected, got, mend, field } = problem;
  const words = wordings[problem.code];
  return problemLine({
    where: reworded(placeOf(problem), words?.where, field),
    expected: reworded(expected, words?.expected, field),
    got,
    mend: reworded(mend, words?.mend, field),
  });
};

/** A line of a report, with the options in notes and warnings that the library has no words for. */
export const typedLine = (line: string): string => reworded(line, notePhrases, null);

/** Writes lines of a report to standard output. */
export const printLines = (lines: readonly string[]): void => {
  process.stdout.write(`${lines.map(typedLine).join('\n')}\n`);
};

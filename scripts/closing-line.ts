import type { Reporter } from 'vitest/node';

/**
 * Vitest reporter: why tests were skipped, then one plain line with the values of the whole run, for programs that
 * read the output: `N passed, N failed, N skipped`. It prints nothing where no test was reached.
 */
export const closingLine: Reporter = {
  onTestRunEnd(modules, errors, reason) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    if (tests.length === 0 || reason === 'interrupted') return;
    const passed = tests.filter((test) => test.result().state === 'passed').length;
    const failed = tests.filter((test) => test.result().state === 'failed').length;
    // A file that does not load, and a hook that throws, fail without a failed test.
    const broken = modules
      .flatMap((module) => [module, ...module.children.allSuites()])
      .filter((suite) => suite.errors().length > 0).length;

    const notes = tests.flatMap((test) => {
      const result = test.result();
      const note = result.state === 'skipped' ? result.note : undefined;
      return note === undefined ? [] : [`${test.module.relativeModuleId}: ${note}`];
    });
    for (const note of new Set(notes)) {
      console.log(`skipped ${notes.filter((other) => other === note).length} of ${note}`);
    }
    const values = [
      `${passed} passed`,
      `${failed + broken + errors.length} failed`,
      `${tests.length - passed - failed} skipped`,
    ];
    console.log(values.join(', '));
  },
};

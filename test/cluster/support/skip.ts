import { describe } from '@jest/globals';

/**
 * A group of tests that runs only where it can.
 *
 * @param reason why it cannot run here; the tests are then counted as skipped, and the reason is printed
 */
export function describeUnless(reason: string | undefined, name: string, tests: () => void): void {
  if (reason === undefined) describe(name, tests);
  else {
    process.stderr.write(`skipped: ${name}: ${reason}\n`);
    describe.skip(`${name} (${reason})`, tests);
  }
}

import { describe, expect, it } from '@jest/globals';
import { residentIn, ticksIn } from '../../bench/process-stats.ts';

describe('CPU time', () => {
  const rest = 'S 1 2 3 0 -1 4194560 500 0 9 0 1234 766 0 0 20 0 11 0 5000 1000000 2500';

  it.each(['node', 'a b', 'tricky) R 9 9 9', '(('])(
    'is the sum of user and system time, also of a process named "%s"',
    (name) => {
      expect(ticksIn(`42 (${name}) ${rest}`)).toBe(2000);
    },
  );
});

describe('resident memory', () => {
  it('is that of the line VmRSS', () => {
    expect(
      residentIn('Name:\tnode\nVmHWM:\t  99999 kB\nVmRSS:\t   12345 kB\nRssAnon:\t 1 kB\n'),
    ).toBe(12_345);
  });

  it('is no number where there is no such line, as for a process that has ended', () => {
    expect(residentIn('Name:\tnode\nState:\tZ (zombie)\n')).toBeNaN();
  });
});

import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { quoted } from '../../src/cli/quoted.ts';

describe('quoted', () => {
  it.each([
    ['/srv/app-1.ts', '/srv/app-1.ts'],
    ['/my app.ts', "'/my app.ts'"],
    ["/it's.ts", "'/it'\\''s.ts'"],
    ['$(true)', "'$(true)'"],
  ])('%s', (path, expected) => {
    expect(quoted(path)).toBe(expected);
    expect(execFileSync('sh', ['-c', `printf %s ${expected}`], { encoding: 'utf8' })).toBe(path);
  });
});

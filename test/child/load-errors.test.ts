import { describe, expect, it } from '@jest/globals';
import { loadError } from '../../src/child/load-errors.ts';

const error = (name: string, message: string, stack: string): Error =>
  Object.assign(new Error(message), { name, stack });

describe('loadError', () => {
  it.each([
    [
      'no place',
      error('SyntaxError', 'bad', 'SyntaxError: bad\n    at x (node:y:1:2)'),
      'SyntaxError: bad',
    ],
    [
      'a place',
      error('SyntaxError', 'bad', '/a b/c.ts:3\nlet ;\n    ^\n\nSyntaxError: bad'),
      '/a b/c.ts:3: SyntaxError: bad',
    ],
    [
      'a place as URL',
      error('SyntaxError', 'bad', 'file:///c.mjs:3\nlet\n'),
      '/c.mjs:3: SyntaxError: bad',
    ],
    [
      'a URL with spaces',
      error('SyntaxError', 'bad', 'file:///a%20b/c.mjs:3\nlet\n'),
      '/a b/c.mjs:3: SyntaxError: bad',
    ],
    [
      'a path with %',
      error('SyntaxError', 'bad', '/a%b/c.ts:3\nlet\n'),
      '/a%b/c.ts:3: SyntaxError: bad',
    ],
    [
      'something thrown',
      error(
        'Error',
        'x',
        'Error: x\n    at JSON.parse (<anonymous>)\n    at f (file:///b.mjs:4:7)\n    at file:///c.mjs:1:1',
      ),
      '/b.mjs:4: Error: x',
    ],
    ['two lines', error('Error', 'first\n  second', ''), 'Error: first second'],
    ['no error at all', 'text', 'Error: text'],
    ['nothing', undefined, 'Error: undefined'],
    ['null', null, 'Error: null'],
  ])('is one line: %s', (_, given, expected) => {
    expect(loadError(given)).toBe(expected);
  });
});

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
    ['two lines', error('Error', 'first\n  second', ''), 'Error: first second'],
    ['no error at all', 'text', 'Error: text'],
    ['nothing', undefined, 'Error: undefined'],
    ['null', null, 'Error: null'],
  ])('is one line: %s', (_, given, expected) => {
    expect(loadError(given)).toBe(expected);
  });
});

import { describe, expect, it } from '@jest/globals';
import { Lines, LineTooLong } from '../../../operator/kube/lines.ts';
import { cuts, randomCut } from '../../support/cuts.ts';
import { Random } from '../../support/random.ts';

function linesOf(pieces: readonly Buffer[], maxBytes = 1000): string[] {
  const lines = new Lines(maxBytes);
  return pieces.flatMap((piece) => lines.push(piece));
}

describe('Lines', () => {
  it.each([
    ['', []],
    ['a', []],
    ['a\n', ['a']],
    ['a\nb', ['a']],
    ['a\n\n \r\nb\n', ['a', 'b']],
    ['{"é":"€😀"}\n{}\n', ['{"é":"€😀"}', '{}']],
  ])('of %j are the same however it is cut', (text, lines) => {
    for (const pieces of cuts(Buffer.from(text))) expect(linesOf(pieces)).toEqual(lines);
  });

  it('are the same for every cut of random text', () => {
    const random = new Random(20_261);
    for (let round = 0; round < 500; round += 1) {
      const whole = Array.from(
        { length: random.int(0, 6) },
        () => `x${random.text(random.int(0, 40))}`,
      );
      const rest = random.text(random.int(0, 5));
      const stream = Buffer.from(whole.map((line) => `${line}\n`).join('') + rest);
      expect(linesOf(randomCut(stream, random))).toEqual(whole);
    }
  });

  it.each([
    [['12345\n'], 5, false],
    [['123456\n'], 5, true],
    [['123', '456'], 5, true],
    [['12', '345', '\n12345', '\n'], 5, false],
    [['ok\n123456'], 5, true],
  ])('%j within %i bytes', (pieces, max, tooLong) => {
    const read = () =>
      linesOf(
        pieces.map((piece) => Buffer.from(piece)),
        max,
      );
    if (tooLong) expect(read).toThrow(LineTooLong);
    else expect(read).not.toThrow();
  });
});

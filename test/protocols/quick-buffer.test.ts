import { expect, it } from '@jest/globals';
import { latin1Of, writeText } from '../../src/protocols/quick-buffer.ts';
import { Random } from '../support/random.ts';

it('is the same as toString and write', () => {
  const random = new Random(7);
  for (let round = 0; round < 500; round += 1) {
    const text = random.text(random.int(0, 60));
    const at = random.int(0, 40);
    const [quick, slow] = [Buffer.alloc(300), Buffer.alloc(300)];
    expect(writeText(quick, text, at)).toBe(slow.write(text, at));
    expect(quick).toEqual(slow);
    const end = random.int(at, 300);
    expect(latin1Of(quick, at, end)).toBe(slow.toString('latin1', at, end));
  }
});

it.each(['\ud800', 'a\udfff', '\ud83d\ude00', '\0', ''])('writes %j as write does', (text) => {
  const [quick, slow] = [Buffer.alloc(20), Buffer.alloc(20)];
  expect([writeText(quick, text, 3), quick]).toEqual([slow.write(text, 3), slow]);
});

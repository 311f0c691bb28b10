import { describe, expect, it } from '@jest/globals';
import { Folding } from '../../../operator/kube/event-folding.ts';

/** `TIME OBJECT WHAT`; gives what came of each: `+ID`, `ID*COUNT` or `drop`. */
function folded(lines: string): string[] {
  const folding = new Folding();
  return lines.split(', ').map((line) => {
    const [time, object = '', what = ''] = line.split(' ');
    const done = folding.fold(object, `${object} ${what}`, Number(time));
    if (done.is === 'drop') return 'drop';
    return done.is === 'create' ? `+${done.id}` : `${done.id}*${done.count}`;
  });
}

describe('Folding', () => {
  it.each([
    ['different things', '0 pod Started, 0 pod Ready', ['+1', '+2']],
    ['the same of two objects', '0 a Started, 0 b Started', ['+1', '+2']],
    ['the same again', '0 a Failed, 1000 a Failed, 299000 a Failed', ['+1', '1*2', '1*3']],
    ['the same, long after', '0 a Failed, 300000 a Failed', ['+1', '+2']],
    ['as long as it goes on', '0 a X, 299000 a X, 598000 a X', ['+1', '1*2', '1*3']],
  ])('%s', (_, lines, expected) => {
    expect(folded(lines)).toEqual(expected);
  });

  it('lets an object have 25 at once, then one in 10 s; others have their own', () => {
    const burst = Array.from({ length: 27 }, (_, i) => `0 a What${i}`).join(', ');
    const all = folded(`${burst}, 0 b What, 9999 a Later, 10000 a Later, 10001 a More`);
    expect(all.slice(24)).toEqual(['+25', 'drop', 'drop', '+28', 'drop', '+30', 'drop']);
  });

  it('goes on counting what it does not write', () => {
    const same = Array.from({ length: 40 }, () => '0 a Same').join(', ');
    expect(folded(`${same}, 10000 a Same`).slice(23)).toEqual([
      '1*24',
      '1*25',
      ...Array.from({ length: 15 }, () => 'drop'),
      '1*41',
    ]);
  });

  it('begins anew after an event that could not be written', () => {
    const folding = new Folding();
    expect(folding.fold('a', 'x', 0)).toEqual({ is: 'create', id: 1 });
    folding.forget('x');
    expect(folding.fold('a', 'x', 1)).toEqual({ is: 'create', id: 2 });
  });

  it('remembers a bounded number', () => {
    const folding = new Folding();
    folding.fold('first', 'first', 0);
    for (let i = 0; i < 4096; i += 1) folding.fold(`o${i}`, `w${i}`, 0);
    expect(folding.fold('first', 'first', 0)).toMatchObject({ is: 'create' });
    expect(folding.fold('o4000', 'w4000', 0)).toMatchObject({ is: 'count', count: 2 });
  });
});

import { describe, expect, it } from '@jest/globals';
import { Agenda } from '../../../operator/kube/agenda.ts';

/**
 * Scenes: `TIME add KEY [AT]`, `TIME next`, `TIME done KEY`, `TIME fail KEY`; chance is always 1, so that waits are the
 * longest. Each scene gives what its `next` gave, and then when the next look is due.
 */
function played(scene: string): string {
  const agenda = new Agenda();
  const given: string[] = [];
  for (const line of scene.split(';')) {
    const [time = '', what, key = '', at] = line.trim().split(' ');
    const now = Number(time);
    if (what === 'add') agenda.add(key, at === undefined ? now : Number(at));
    else if (what === 'next') given.push(agenda.next(now) ?? '-');
    else if (what === 'done') agenda.done(key);
    else if (what === 'fail') agenda.failed(key, now, 1);
    else throw new Error(`no such line: ${line}`);
  }
  return `${given.join(' ')} @${agenda.nextAt() ?? '-'}`;
}

describe('Agenda', () => {
  it.each([
    ['nothing to do', '0 next', '- @-'],
    ['in the order in which they came', '0 add a; 0 add b; 1 next; 1 next; 1 next', 'a b - @-'],
    ['once, however often it was added', '0 add a; 0 add a; 1 next; 1 next', 'a - @-'],
    ['not before its time', '0 add a 5; 4 next; 5 next', '- a @-'],
    ['the earliest time counts', '0 add a 9; 0 add a 5; 0 add a 7; 5 next', 'a @-'],
    ['by time, not by arrival', '0 add a 9; 0 add b 5; 9 next; 9 next', 'b a @-'],
    ['not twice at once', '0 add a; 0 next; 1 add a; 1 next', 'a - @-'],
    ['once more if it was added in work', '0 add a; 0 next; 1 add a; 2 done a; 2 next', 'a a @-'],
    ['others pass the one in work', '0 add a; 0 next; 1 add a; 2 add b; 2 next', 'a b @-'],
    ['a failure waits', '0 add a; 0 next; 0 fail a; 199 next; 200 next', 'a - a @-'],
    ['failures wait longer', '0 add a; 0 next; 0 fail a; 200 next; 200 fail a', 'a a @600'],
    [
      'a success forgets the failures',
      '0 add a; 0 next; 0 fail a; 200 next; 200 done a; 300 add a; 300 next; 300 fail a',
      'a a a @500',
    ],
    [
      'a change cuts a long wait short',
      '0 add a; 0 next; 0 fail a; 200 next; 200 fail a; 450 add a; 450 next',
      'a a a @-',
    ],
    [
      'but not below the first',
      '0 add a; 0 next; 0 fail a; 200 next; 200 fail a; 300 add a; 300 next',
      'a a - @400',
    ],
    ['a change in work that fails', '0 add a; 0 next; 1 add a; 2 fail a; 2 next', 'a - @202'],
    ['a later wish does not shorten a wait', '0 add a; 0 next; 0 fail a; 1 add a 900', 'a @200'],
  ])('%s', (_, scene, expected) => {
    expect(played(scene)).toBe(expected);
  });

  it('tells what is due, what waits and what is in work', () => {
    const agenda = new Agenda();
    for (const [key, at] of [
      ['a', 0],
      ['b', 0],
      ['c', 9],
    ] as const)
      agenda.add(key, at);
    agenda.next(0);
    agenda.add('a', 0);
    expect([agenda.due(0), agenda.waiting, agenda.working]).toEqual([1, 3, 1]);
  });
});

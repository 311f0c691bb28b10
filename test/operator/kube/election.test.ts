import { describe, expect, it } from '@jest/globals';
import { type Decision, decide, type Own, type Seen } from '../../../operator/kube/election.ts';

const NOW = 100_000;
const me = (own: Partial<Own> = {}): Own => ({
  identity: 'me',
  changedAt: NOW,
  renewedAt: undefined,
  ...own,
});
const by = (holder: string | undefined, seconds = 15): Seen => ({
  holder,
  renewTime: 'some time',
  seconds,
});
const said = (decision: Decision): string =>
  [
    decision.is,
    ...('ms' in decision ? [decision.ms] : []),
    ...('why' in decision ? [decision.why] : []),
  ].join(' ');

describe('decide', () => {
  it.each<[string, Seen | undefined, Own, string]>([
    ['no lease', undefined, me(), 'acquire'],
    ['given back', by(''), me(), 'acquire'],
    ['never held', by(undefined), me(), 'acquire'],
    ['ours from an earlier life', by('me'), me(), 'acquire'],
    ["another's, just seen", by('other'), me(), 'wait 2000'],
    ["another's, silent for long", by('other'), me({ changedAt: NOW - 14_000 }), 'wait 1000'],
    ["another's, run out", by('other'), me({ changedAt: NOW - 15_000 }), 'acquire'],
    ["another's, longer than ours", by('other', 60), me({ changedAt: NOW - 15_000 }), 'wait 2000'],
    ['renewed just now', by('me'), me({ renewedAt: NOW }), 'wait 5000'],
    ['time to renew', by('me'), me({ renewedAt: NOW - 5000 }), 'renew'],
    ['late, but in time', by('me'), me({ renewedAt: NOW - 9999 }), 'renew'],
    [
      'too late',
      by('me'),
      me({ renewedAt: NOW - 10_000 }),
      'lost the lease was not renewed for 10 s',
    ],
    ['taken away', by('other'), me({ renewedAt: NOW - 1 }), 'lost other holds the lease'],
    ['emptied by somebody', by(''), me({ renewedAt: NOW - 1 }), 'lost nobody holds the lease'],
    ['removed by somebody', undefined, me({ renewedAt: NOW - 5000 }), 'renew'],
  ])('%s', (_, seen, own, expected) => {
    expect(said(decide(seen, own, NOW))).toBe(expected);
  });
});

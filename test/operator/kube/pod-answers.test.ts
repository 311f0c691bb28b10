import { describe, expect, it } from '@jest/globals';
import { Nonsense, reloadIdOf, reportOf } from '../../../operator/kube/pod-answers.ts';

const process = {
  pid: 11,
  worker_name: 'chat',
  worker_id: 0,
  state: 'ready',
  connections: 3,
  busy: false,
};
const report = {
  version: '0.1.0',
  pid: 10,
  startedAt: 1,
  now: 2,
  phase: 'running',
  workers: [{ name: 'chat', count: 1 }],
  processes: [process],
};

describe('reportOf', () => {
  it.each([
    ['the least', report, report],
    ['more than we read', { ...report, file: 'x', processes: [{ ...process, memory: 7 }] }, report],
    ['null for nothing', { ...report, reload: null, code: null }, report],
    [
      'everything',
      {
        ...report,
        reload: { id: 1, kind: 'reload', state: 'failed', replaced: 0, total: 2, reason: 'why' },
        drainUntil: 5,
        processes: [{ ...process, clients: 2 }],
        config: 'c',
        code: 'd',
        sysctls: { 'net.core.somaxconn': '4096' },
      },
      {
        ...report,
        reload: { id: 1, state: 'failed', replaced: 0, total: 2, reason: 'why' },
        drainUntil: 5,
        processes: [{ ...process, clients: 2 }],
        config: 'c',
        code: 'd',
        sysctls: { 'net.core.somaxconn': '4096' },
      },
    ],
  ])('reads %s', (_, given, expected) => {
    expect(reportOf(JSON.stringify(given))).toEqual(expected);
  });

  it.each([
    ['<html>', 'the answer is not JSON'],
    ['[]', 'the answer is [], expected an object'],
    ['null', 'the answer is null, expected an object'],
    [{ ...report, phase: 7 }, 'phase is 7, expected a text'],
    [{ ...report, phase: 'x'.repeat(5000) }, 'phase is "xxx'],
    [{ ...report, pid: -1 }, 'pid is -1, expected a number of 0 or more'],
    [{ ...report, pid: '10' }, 'pid is "10", expected a number'],
    [{ ...report, now: 1e300 }, 'now is 1e+300, expected a number'],
    [{ ...report, reload: 'yes' }, 'reload is "yes", expected an object'],
    [{ ...report, reload: { id: 1 } }, 'state is missing, expected a text'],
    [{ ...report, sysctls: { a: 1 } }, 'a is 1, expected a text'],
    [{ ...report, code: 4 }, 'code is 4, expected a text'],
    [{ ...report, workers: {} }, 'workers is {}, expected a list'],
    [{ ...report, processes: [process, 7] }, 'processes[1] is 7, expected an object'],
    [{ ...report, processes: [{ ...process, connections: null }] }, 'connections is null'],
    [{ ...report, processes: [{ ...process, clients: 'many' }] }, 'clients is "many"'],
    [
      { ...report, processes: [{ ...process, busy: 'no' }] },
      'busy is "no", expected true or false',
    ],
    [{ ...report, processes: Array.from({ length: 5000 }, () => process) }, 'processes is ['],
  ])('does not read %j', (given, message) => {
    const body = typeof given === 'string' ? given : JSON.stringify(given);
    expect(() => reportOf(body)).toThrow(Nonsense);
    expect(() => reportOf(body)).toThrow(message);
  });

  it('keeps a field that is named like a part of every object', () => {
    const given = `${JSON.stringify(report).slice(0, -1)},"sysctls":{"__proto__":"1"}}`;
    expect(JSON.stringify(reportOf(given).sysctls)).toBe('{"__proto__":"1"}');
  });
});

describe('reloadIdOf', () => {
  it('reads the number', () => {
    expect(reloadIdOf('{"id":4,"reload":{}}')).toBe(4);
  });

  it.each(['{}', '{"id":"4"}', '', '7'])('does not read %j', (body) => {
    expect(() => reloadIdOf(body)).toThrow(Nonsense);
  });
});

import { describe, expect, it } from '@jest/globals';
import { COMMAND, EVENT, gatewayProtocol, KIND, type Package } from '../../src/gateway/format.ts';
import { clientId, parseClientId } from '../../src/gateway/ids.ts';
import { changed, changeOf, merged } from '../../src/gateway/session.ts';
import {
  addGatewayStats,
  gatewayStatsSince,
  observeHold,
  zeroGatewayStats,
} from '../../src/gateway/stats.ts';
import { Writer } from '../../src/gateway/wire.ts';
import * as write from '../../src/gateway/writing.ts';
import { cuts, decoded, hex, randomCut } from '../support/cuts.ts';
import { Random } from '../support/random.ts';

function written(...all: ((out: Writer) => void)[]): Buffer {
  const out = new Writer();
  for (const one of all) one(out);
  return Buffer.from(out.take());
}

const packagesIn = (pieces: readonly Buffer[]): Package[] =>
  decoded<readonly Package[]>(gatewayProtocol, pieces).messages.flat();

const nonce = Buffer.alloc(16, 7);
const MANY = 2 ** 40 + 3;

describe('the inner format', () => {
  it.each<[string, string, (out: Writer) => void, Package]>([
    [
      'hello',
      `0000002700 01 01 ${'07'.repeat(16)} 0000000c ${'41'.repeat(12)}`,
      (out) => write.writeHello(out, { guarded: true, nonce, instance: 'A'.repeat(12) }),
      { kind: KIND.hello, version: 1, guarded: true, nonce, instance: 'A'.repeat(12) },
    ],
    [
      'answer',
      `0000001601 01 ${'07'.repeat(16)}`,
      (out) => write.writeAnswer(out, nonce, Buffer.alloc(0)),
      { kind: KIND.answer, version: 1, nonce, proof: Buffer.alloc(0) },
    ],
    [
      'refused',
      '0000000803 6e6f21',
      (out) => write.writeRest(out, KIND.refused, 'no!'),
      { kind: KIND.refused, why: 'no!' },
    ],
    ['alive', '0000000504', (out) => write.writeBare(out, KIND.alive), { kind: KIND.alive }],
    [
      'join',
      '0000000a05 00000001 62',
      (out) => write.writeJoin(out, 'b'),
      { kind: KIND.join, name: 'b' },
    ],
    [
      'ping',
      '0000000909 00000007',
      (out) => write.writeNumbered(out, KIND.ping, 7),
      { kind: KIND.ping, id: 7 },
    ],
    [
      'finished',
      '000000110b 010000000003 000000000009',
      (out) => write.writeFinished(out, MANY, 9),
      { kind: KIND.finished, events: MANY, bytes: 9 },
    ],
    [
      'mute',
      '0000000b0c 000000000005',
      (out) => write.writeClient(out, KIND.mute, 5),
      { kind: KIND.mute, client: 5 },
    ],
    [
      'event without a state',
      '0000000f0e 02 01 000000000005 c3a9',
      (out) =>
        write.writeEvent(
          out,
          { what: EVENT.message, client: 5, state: undefined },
          { form: 1, body: 'é' },
        ),
      {
        kind: KIND.event,
        what: EVENT.message,
        client: 5,
        state: undefined,
        form: 1,
        body: 'é',
        size: 15,
      },
    ],
    [
      'event with a state',
      '000000140e 02 08 000000000005 00000002 7b7d ff',
      (out) =>
        write.writeEvent(
          out,
          { what: EVENT.message, client: 5, state: '{}' },
          { form: 0, body: hex('ff') },
        ),
      {
        kind: KIND.event,
        what: EVENT.message,
        client: 5,
        state: '{}',
        form: 0,
        body: hex('ff'),
        size: 20,
      },
    ],
    [
      'command',
      '000000280f 03 09 00000001 000000000005 00000001 000000000006 00000001 00000003 726564 6869',
      (out) =>
        write.writeCommand(
          out,
          COMMAND.sendToGroups,
          { clients: [5], except: [6], names: ['red'] },
          { form: 1, body: 'hi', raw: true },
        ),
      {
        kind: KIND.command,
        what: COMMAND.sendToGroups,
        form: 1,
        raw: true,
        clients: [5],
        except: [6],
        names: ['red'],
        body: 'hi',
      },
    ],
    [
      'query',
      '0000000b10 00000001 7b7d',
      (out) => write.writeQuery(out, 1, '{}'),
      { kind: KIND.query, id: 1, body: '{}' },
    ],
    [
      'reply',
      '0000000b11 00000001 01 31',
      (out) => write.writeReply(out, 1, true, '1'),
      { kind: KIND.reply, id: 1, good: true, body: '1' },
    ],
    [
      'session',
      '0000001112 000000000005 00000002 7b7d',
      (out) => write.writeSession(out, 5, 2, '{}'),
      { kind: KIND.session, client: 5, states: 2, change: '{}' },
    ],
  ])('%s: these bytes, however they are cut', (_, bytes, make, one) => {
    expect(written(make).toString('hex')).toBe(hex(bytes).toString('hex'));
    for (const pieces of cuts(hex(bytes))) expect(packagesIn(pieces)).toEqual([one]);
  });

  it('comes out as it went in, whatever is in it', () => {
    const random = new Random(5);
    for (let round = 0; round < 100; round += 1) {
      const expected: unknown[] = [];
      const stream = written((out) => {
        for (let i = random.int(1, 8); i > 0; i -= 1) {
          const names = Array.from({ length: random.int(0, 4) }, () =>
            random.text(random.int(1, 90)),
          );
          const clients = Array.from({ length: random.int(0, 4) }, () => random.int(0, 2 ** 31));
          const body = random.chance(0.5)
            ? random.text(random.int(0, 3000))
            : random.bytes(random.int(0, 50));
          const form = typeof body === 'string' ? 1 : 0;
          write.writeCommand(out, COMMAND.sendToAll, { clients, names }, { form, body });
          expected.push({ clients, names, form, body });
        }
      });
      expect(packagesIn(randomCut(stream, random))).toMatchObject(expected);
    }
  });

  it.each([
    ['a length that holds no kind', '00000004', 'LENGTH_TOO_SHORT'],
    ['an unknown kind', '00000005 63', 'PACKAGE_INVALID'],
    ['bytes behind the last field', '00000006 04 00', 'PACKAGE_INVALID'],
    ['half a number', '00000007 09 0001', 'PACKAGE_INVALID'],
    ['a text that goes on behind the end', '0000000a 05 00000002 62', 'PACKAGE_INVALID'],
    ['a list that is not there', '0000000b 0f 00 01 ffffffff', 'PACKAGE_INVALID'],
    ['an unknown event', '0000000d 0e 05 01 000000000001', 'PACKAGE_INVALID'],
    ['an unknown form', '0000000d 0e 02 07 000000000001', 'PACKAGE_INVALID'],
    ['an unknown command', '00000013 0f 63 01 00000000 00000000 00000000', 'PACKAGE_INVALID'],
  ])('refuses %s', (_, bytes, code) => {
    for (const pieces of cuts(hex(bytes)))
      expect(decoded<readonly Package[]>(gatewayProtocol, pieces)).toMatchObject({
        messages: [],
        code,
      });
  });
});

describe('client ids', () => {
  it('are taken apart as they were made', () => {
    for (const number of [0, 1, 255, 2 ** 32, 2 ** 48 - 1]) {
      const id = clientId('AbCdEfGh-_12', number);
      expect(id).toHaveLength(20);
      expect(parseClientId(id)).toEqual({ instance: 'AbCdEfGh-_12', number });
    }
  });
});

describe('sessions', () => {
  it.each([
    [{}, {}],
    [{ a: 1 }, { a: 1, b: [1] }],
    [{ a: 1, b: { c: 1 } }, { b: { c: 2 } }],
    [{ a: 1 }, {}],
    [{}, JSON.parse('{"__proto__":{"polluted":1}}')],
  ])('%j becomes %j by its change, and keys that others set stay', (before, after) => {
    const change = changeOf(JSON.stringify(before), JSON.stringify(after));
    expect(JSON.stringify(changed(before, change))).toBe(JSON.stringify(after));
    expect(changed({ ...before, other: true }, change)).toMatchObject({ other: true });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each([
    [{ a: 1 }, { b: 2 }, { a: 1, b: 2 }],
    [{ a: { x: 1, y: 1 } }, { a: { y: 2 } }, { a: { x: 1, y: 2 } }],
    [{ a: [1, 2] }, { a: [3] }, { a: [3] }],
    [{ a: { x: 1 } }, { a: null }, { a: null }],
  ])('%j with %j laid over it is %j', (session, update, result) => {
    expect(merged(session, update)).toEqual(result);
  });
});

describe('gateway stats', () => {
  it('add up over the processes of a slot, and the present is the last one’s', () => {
    const [sum, one] = [zeroGatewayStats(), zeroGatewayStats()];
    observeHold(one, 30);
    observeHold(one, 60_000);
    one.clients = 5;
    addGatewayStats(sum, gatewayStatsSince(zeroGatewayStats(), one));
    const before = structuredClone(one);
    observeHold(one, 30);
    one.clients = 3;
    addGatewayStats(sum, gatewayStatsSince(before, one));
    expect(sum.holds).toEqual([0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1]);
    expect(sum.heldSeconds).toBeCloseTo(60.06);
    expect(sum.clients).toBe(3);
  });
});

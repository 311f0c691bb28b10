import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CLEAN, endPrograms, freePort, type Program, start } from '../support/program.ts';
import { closeClients, plain } from './clients.ts';

jest.setTimeout(60_000);
afterEach(closeClients);
afterAll(endPrograms);

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

describe('the JSON protocol example', () => {
  let port: number;
  let program: Program;
  beforeAll(async () => {
    port = await freePort();
    program = await start('examples/json-protocol.ts', { PORT: `${port}` });
  });

  it.each([
    ['{"a":1}', '00 00 00 0b 7b 22 61 22 3a 31 7d', '{"received":{"a":1}}'],
    ['0', '00 00 00 05 30', '{"received":0}'],
    ['"\u00e9"', '00 00 00 08 22 c3 a9 22', '{"received":"\u00e9"}'],
  ])('answers %s, which is %s, however the stream is cut', async (_, hex, answer) => {
    const request = bytes(hex);
    const expected = Buffer.from(`\0\0\0${String.fromCharCode(4 + Buffer.byteLength(answer))}`);
    const peer = await plain(port);
    peer.socket.setNoDelay(true);
    for (let cut = 0; cut <= request.length; cut += 1) {
      peer.send(request.subarray(0, cut)).send(request.subarray(cut));
      const got = await peer.take(expected.length + Buffer.byteLength(answer));
      expect(got).toEqual(Buffer.concat([expected, Buffer.from(answer)]));
    }
  });

  it('answers several messages that arrive together, in order', async () => {
    const peer = await plain(port);
    peer.send(bytes('00 00 00 05 31 00 00 00 05 32 00 00 00 05 33'));
    const text = String(await peer.take(3 * (4 + '{"received":1}'.length)));
    expect(text.match(/\d(?=\})/g)).toEqual(['1', '2', '3']);
  });

  it.each([
    ['a length that is shorter than a message can be', '00 00 00 04', 'PACKAGE_INVALID'],
    ['what is not JSON', '00 00 00 05 7b', 'PACKAGE_INVALID'],
    ['a length over the limit, before its bytes arrive', '7f ff ff ff', 'PACKAGE_TOO_LARGE'],
  ])('ends a connection that sends %s, and no other', async (_, hex, code) => {
    const from = program.output.length;
    const bystander = await plain(port);
    const peer = await plain(port);
    peer.send(bytes(hex));
    expect(await peer.end()).toBe('end');
    await program.line(new RegExp(`127\\.0\\.0\\.1:\\d+: ${code}, json-int: `), from);
    const answer = '{"received":7}';
    const got = await bystander.send(bytes('00 00 00 05 37')).take(4 + answer.length);
    expect(got.toString('utf8', 4)).toBe(answer);
  });

  it('stops cleanly', async () => {
    expect(await program.stop()).toEqual(CLEAN);
  });
});

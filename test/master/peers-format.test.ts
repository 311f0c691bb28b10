import { describe, expect, it } from '@jest/globals';
import { membersOf, peersOf } from '../../src/master/peers-format.ts';

const a = { id: 'a', address: '10.0.0.1:2206' };
const b = { id: 'b', address: '10.0.0.2:2206' };

describe('a list of peers', () => {
  it.each([
    [{ version: 0 }],
    [{ version: 3, channel: [] }],
    [{ version: 3, channel: [a, b], gateway: [a], globaldata: [] }],
  ])('is %j', (value) => {
    expect(peersOf(value)).toEqual(value);
  });

  it.each([
    [{}, '"version" is undefined, expected a whole number of 0 or more'],
    [{ version: -1 }, '"version" is -1, expected a whole number of 0 or more'],
    [{ version: 1.5 }, '"version" is 1.5, expected a whole number of 0 or more'],
    [{ version: 1, x: [] }, '"x" is not a field; known: version, channel, gateway, globaldata'],
    [
      { version: 1, channel: {} },
      '"channel" is {}, expected a list of {"id": string, "address": string}',
    ],
    [
      { version: 1, channel: [a, { id: 'b' }] },
      '"channel[1]" is {"id":"b"}, expected {"id": string, "address": string}, none of them empty',
    ],
    [{ version: 1, gateway: [{ ...a, more: 1 }] }, /^"gateway\[0\]" is \{.*\}, expected /],
    [{ version: 1, gateway: [null] }, /^"gateway\[0\]" is null, expected /],
    [{ version: 1, channel: [{ id: '', address: 'x' }] }, /^"channel\[0\]" is /],
    [{ version: 1, channel: [a, b, a] }, '"channel" has the id "a" twice'],
  ])('is not %j', (value, why) => {
    expect(peersOf(value as Record<string, unknown>)).toEqual(
      typeof why === 'string' ? why : expect.stringMatching(why),
    );
  });
});

describe('addresses as people write them', () => {
  it.each([
    ['', []],
    [' , ', []],
    ['h:1', ['h:1']],
    ['h:1, unix:///p ,h:1,', ['h:1', 'unix:///p']],
  ])('%j are members', (text, addresses) => {
    expect(membersOf(text)).toEqual(addresses.map((address) => ({ id: address, address })));
  });
});

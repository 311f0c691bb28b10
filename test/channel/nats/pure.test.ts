import { describe, expect, it } from '@jest/globals';
import { natsPlace } from '../../../src/channel/nats/address.ts';
import {
  isComplete,
  isEndangered,
  keptBy,
  replicasFor,
  type StreamFacts,
} from '../../../src/channel/nats/decisions.ts';
import {
  channelSubject,
  deliveryOf,
  everySubject,
  nameOf,
  queueConsumer,
  tokenOf,
} from '../../../src/channel/nats/subjects.ts';
import { Random } from '../../support/random.ts';

describe('names in subjects', () => {
  it('are one token, and are found again in it', () => {
    const random = new Random(5);
    const chars = ['.', '*', '>', ' ', '=', 'é', '€', '😀', '\0', '\n', '\r', '\t', 'A', 'z', '0'];
    const seen = new Map<string, string>();
    for (let i = 0; i < 3_000; i += 1) {
      const name = Array.from({ length: random.int(1, 6) }, () => random.pick(chars)).join('');
      const token = tokenOf(name);
      expect(token).toMatch(/^[A-Za-z0-9_=-]+$/);
      expect(nameOf(token)).toBe(name);
      expect(seen.get(token) ?? name).toBe(name);
      seen.set(token, name);
    }
  });

  it('that are words stay readable', () => {
    expect(channelSubject('longshore', 'room_1-a')).toBe('longshore.c.0.room_1-a');
    expect(channelSubject('p', 'room:1', { size: 10, seconds: 60 })).toBe('p.c.10-60.room=3A1');
    expect(everySubject('p', 'room:1')).toBe('p.c.*.room=3A1');
    expect(queueConsumer('jobs.*')).toMatch(/^q-[0-9a-f]{32}$/);
  });
});

describe('what a delivery says of itself', () => {
  it.each([
    ['$JS.ACK.S.C.1.42.7.1700000000000000000.3', { sequence: 42, delivered: 7, pending: 3 }],
    ['$JS.ACK.d.h.S.C.1.42.7.1700000000000000000.3', { sequence: 42, delivered: 7, pending: 3 }],
    ['$JS.ACK._.h.S.C.1.42.7.1700000000000000000.3.x', { sequence: 42, delivered: 7, pending: 3 }],
    ['$JS.ACK.S.C.1.x.7.1700000000000000000.3', undefined],
    ['$JS.FC.S.C', undefined],
    ['_INBOX.x', undefined],
    [undefined, undefined],
  ])('%s', (reply, expected) => {
    expect(deliveryOf(reply)).toEqual(expected);
  });
});

describe('addresses', () => {
  it('name the servers of a cluster', () => {
    expect(natsPlace(['nats://a', 'nats://b:4333', 'nats://[::1]:80'])).toEqual({
      servers: ['a:4222', 'b:4333', '[::1]:80'],
      tls: false,
      replicas: undefined,
      prefix: 'longshore',
    });
  });

  it('may have credentials and options, which count for all', () => {
    expect(natsPlace(['nats://ann:p%40ss@a:1', 'tls://b:2?replicas=3&prefix=chat'])).toEqual({
      servers: ['a:1', 'b:2'],
      user: 'ann',
      pass: 'p@ss',
      tls: true,
      replicas: 3,
      prefix: 'chat',
    });
    expect(natsPlace(['nats://s3cret@a'])).toMatchObject({ token: 's3cret' });
    expect(natsPlace(['nats://a?creds=/etc/nats.creds'])).toMatchObject({
      creds: '/etc/nats.creds',
    });
  });

  it.each([
    [['nats://'], /is no nats:/],
    [['nats://a', 'b:2206'], /"b:2206" is no nats:/],
    [['nats://ann:secret@'], /"nats:\/\/…@" is no nats:/],
    [['nats://a?replicas=6'], /replicas=6/],
    [['nats://a?prefix=a.b'], /prefix=a\.b/],
    [['nats://a?replica=3'], /replica is none of replicas, prefix, creds/],
  ])('%j are refused', (addresses, message) => {
    expect(() => natsPlace(addresses)).toThrow(message);
    expect(() => natsPlace(addresses)).toThrow(
      expect.objectContaining({ code: 'CHANNEL_INVALID' }),
    );
  });
});

describe('streams', () => {
  it('have three copies where there are three servers, unless told otherwise', () => {
    expect([1, 2, 3, 5].map((servers) => replicasFor(undefined, servers))).toEqual([1, 1, 3, 3]);
    expect(replicasFor(1, 3)).toBe(1);
  });

  it('keep more than they have to', () => {
    expect(keptBy({ size: 10, seconds: 5 })).toEqual({ size: 266, seconds: 130 });
    expect(keptBy({ size: 10, seconds: 300 })).toEqual({ size: 266, seconds: 310 });
  });

  it('endanger who is further behind than they keep', () => {
    const facts = { perChannel: 10 } as StreamFacts;
    expect([0, 8, 9, 10].map((pending) => isEndangered(facts, pending))).toEqual([
      false,
      false,
      true,
      true,
    ]);
    expect(isEndangered({ ...facts, perChannel: 0 }, 99)).toBe(false);
  });
});

/** A stream with two channels, and somebody who is away from one of them. */
class World {
  readonly #random: Random;
  readonly #ageMs = 10_000;
  readonly #perChannel = 8;
  now = 0;
  last = 0;
  messages: { sequence: number; channel: string; at: number }[] = [];
  removed: { sequence: number; channel: string }[] = [];
  position = 0;
  caughtUp = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  steps(most: number): void {
    for (let i = this.#random.int(0, most); i > 0; i -= 1) this.#step();
  }

  #step(): void {
    this.now += this.#random.pick([1, 500, 3_000]);
    while ((this.messages[0]?.at ?? this.now) < this.now - this.#ageMs) this.#remove(0);
    const channel = this.#random.pick(['ours', 'other', 'other']);
    this.last += 1;
    this.messages.push({ sequence: this.last, channel, at: this.now });
    const of = this.messages.filter((each) => each.channel === channel);
    if (of.length > this.#perChannel) this.#remove(this.messages.indexOf(of[0] as never));
  }

  #remove(at: number): void {
    this.removed.push(...this.messages.splice(at, 1));
  }

  /** Sees everything that is there now. */
  catchUp(): void {
    const ours = this.messages.findLast(({ channel }) => channel === 'ours');
    this.position = Math.max(this.position, ours?.sequence ?? 0);
    this.caughtUp = this.now;
    this.removed = [];
  }

  claims(): { complete: boolean; true: boolean; nothing: boolean } {
    const behind = ({ sequence, channel }: { sequence: number; channel: string }) =>
      channel === 'ours' && sequence > this.position;
    const facts: StreamFacts = {
      epoch: 'e',
      first: this.messages[0]?.sequence ?? this.last + 1,
      last: this.last,
      ageMs: this.#ageMs,
      perChannel: this.#perChannel,
      otherBounds: false,
    };
    const position = { offset: this.position, epoch: 'e' };
    const missed = this.messages.filter(behind).length;
    const absence = { position, missed, sinceMs: this.now - this.caughtUp };
    return {
      complete: isComplete(facts, { size: 5, seconds: 5 }, absence),
      true: !this.removed.some(behind),
      nothing: this.removed.length === 0 && missed <= 5,
    };
  }
}

describe('what somebody missed', () => {
  it('is never called complete when something of it was removed, and is when nothing was', () => {
    const random = new Random(9);
    const seen = { complete: 0, incomplete: 0 };
    for (let round = 0; round < 3_000; round += 1) {
      const world = new World(random);
      world.steps(20);
      world.catchUp();
      world.steps(25);
      const claim = world.claims();
      expect(claim).not.toMatchObject({ complete: true, true: false });
      expect(claim).not.toMatchObject({ complete: false, nothing: true });
      seen[claim.complete ? 'complete' : 'incomplete'] += 1;
    }
    expect(Math.min(seen.complete, seen.incomplete)).toBeGreaterThan(300);
  });

  const facts: StreamFacts = {
    epoch: 'e',
    first: 50,
    last: 100,
    ageMs: 60_000,
    perChannel: 20,
    otherBounds: false,
  };
  const bounds = { size: 10, seconds: 50 };
  it.each([
    ['of another stream', {}, { position: { offset: 60, epoch: 'f' } }, false],
    ['of the future', {}, { position: { offset: 101, epoch: 'e' } }, false],
    ['all there', {}, {}, true],
    ['as much as is kept', {}, { missed: 10 }, true],
    ['more than is kept', {}, { missed: 11 }, false],
    ['at the front of the stream', {}, { position: { offset: 49, epoch: 'e' } }, true],
    ['behind the front', {}, { position: { offset: 48, epoch: 'e' } }, false],
    [
      'behind it, and certain until a moment ago',
      {},
      { position: { offset: 48, epoch: 'e' }, sinceMs: 57_000 },
      true,
    ],
    [
      'the same in a stream with bounds of somebody else',
      { otherBounds: true },
      { position: { offset: 48, epoch: 'e' }, sinceMs: 57_000 },
      false,
    ],
    ['more than the stream keeps', { perChannel: 5 }, { missed: 5 }, false],
  ])('%s', (_, stream, absence, expected) => {
    const all = { position: { offset: 60, epoch: 'e' }, missed: 3, sinceMs: 1e9, ...absence };
    expect(isComplete({ ...facts, ...stream }, bounds, all)).toBe(expected);
  });
});

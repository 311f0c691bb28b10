import { describe, expect, it } from '@jest/globals';
import { Locals } from '../../src/master/locals.ts';

const address = (text: string) => ({ id: text, address: text });

describe('what runs on this machine', () => {
  it('is nothing at first', () => {
    const locals = new Locals();
    expect(locals.value).toBeUndefined();
    expect(locals.drop(1)).toBe(false);
    expect(locals.value).toBeUndefined();
  });

  it('is what was set and announced, until its process is gone; each change has a new version', () => {
    const locals = new Locals();
    locals.set('channel', 'unix:///c');
    locals.announce(1, 'gateway', 'unix:///g1');
    locals.announce(2, 'gateway', 'unix:///g2');
    locals.announce(2, 'gateway', 'unix:///g2b');
    expect(locals.value).toEqual({
      version: 4,
      channel: [address('unix:///c')],
      gateway: ['unix:///g1', 'unix:///g2', 'unix:///g2b'].map(address),
      globaldata: [],
    });
    expect(locals.drop(2)).toBe(true);
    expect(locals.drop(2)).toBe(false);
    expect(locals.value).toMatchObject({ version: 5, gateway: [address('unix:///g1')] });
  });

  it('is not new if it is said again', () => {
    const locals = new Locals();
    locals.set('channel', 'unix:///c');
    locals.set('channel', 'unix:///c');
    expect(locals.value?.version).toBe(1);
  });
});

import { afterEach, expect, it } from '@jest/globals';
import { GlobalDataServer } from '../../src/globaldata/server.ts';
import { dataClient, endDataPlaces } from '../support/data-engines.ts';
import { cleanUp, listening } from '../support/in-process.ts';
import { authority, eventually } from '../support/peer.ts';

afterEach(async () => {
  await endDataPlaces();
  await cleanUp();
});

it('a running server does not care for the hour: lives are as long as was said, however the clock jumps', async () => {
  const client = dataClient(authority(await listening(new GlobalDataServer('127.0.0.1:0'))));
  const real = Date.now;
  try {
    await client.set('long', 1, { seconds: 60 });
    for (const jump of [1e10, -1e10]) {
      Date.now = () => real() + jump;
      await client.set(`short ${jump}`, 1, { seconds: 0.3 });
      // Swept once a second, by a clock that does not jump either.
      expect(await client.get('long')).toBe(1);
      expect(await client.get(`short ${jump}`)).toBe(1);
    }
    Date.now = real;
    await eventually(async () => (await client.keys()).length === 1);
    expect(await client.keys()).toEqual(['long']);
  } finally {
    Date.now = real;
  }
});

import { afterEach, describe, expect, it } from '@jest/globals';
import { endDataPlaces, failure, NATIVE, REDIS } from '../support/data-engines.ts';
import { eventually } from '../support/peer.ts';

afterEach(endDataPlaces);

describe.each([NATIVE, REDIS])(
  'the loss of a server of shared data, on $name',
  ({ place, whyNot }) => {
    if (whyNot) {
      it.skip(`is not tested: ${whyNot}`, () => {});
      return;
    }

    it('keeps what was answered over kill -9, and goes on by itself', async () => {
      const here = await place();
      const client = here.client({ timeout: 20 });
      const told = { answered: 0, unknown: 0, closed: 0 };
      client.onClose = () => {
        told.closed += 1;
      };
      let over = false;
      const writing = (async () => {
        while (!over) {
          await client.increment('n').then(
            (number) => {
              told.answered += 1;
              told.unknown = number - told.answered;
            },
            (error) => expect(error.code).toBe('GLOBALDATA_LOST'),
          );
        }
      })();
      await eventually(() => told.answered > 100);
      await here.crash();
      const before = told.answered;
      await eventually(() => told.answered > before + 100, 'more answers');
      over = true;
      await writing;
      // Every one that was answered counts; at most the one that was under way may count too.
      expect(told.closed).toBe(1);
      expect([0, 1]).toContain(told.unknown);
      expect(await client.get('n')).toBe(told.answered + told.unknown);
    });

    it('keeps lives over a restart', async () => {
      const here = await place();
      const client = here.client({ timeout: 20 });
      await client.set('long', 1, { seconds: 1000 });
      await client.set('ever', 1);
      await client.set('short', 1, { seconds: 0.001 });
      await client.delete('none');
      await here.stop();
      await here.again();
      expect(await client.keys()).toEqual(['ever', 'long']);
      expect(await client.expire('long', 0.001)).toBe(true);
      await eventually(async () => !(await client.has('long')));
    });

    it('gives errors within the timeout while there is no server, and carries nothing of it out later', async () => {
      const here = await place();
      const client = here.client({ timeout: 0.5 });
      await client.set('k', 1);
      await here.stop();
      await eventually(() => !client.connected);
      const began = performance.now();
      const all = await Promise.all([
        failure(client.set('k', 2)),
        failure(client.increment('n')),
        failure(client.get('k')),
      ]);
      const took = performance.now() - began;
      expect(all.map((each) => 'code' in each && each.code)).toEqual(
        Array(3).fill('GLOBALDATA_UNAVAILABLE'),
      );
      expect(all[0]).toMatchObject({
        message: expect.stringMatching(/set "k": not sent within 0.5 s.*not carried out/),
      });
      expect(took).toBeLessThan(1500);
      await here.again();
      await eventually(() =>
        client.get('k').then(
          (value) => value === 1,
          () => false,
        ),
      );
      expect(await client.has('n')).toBe(false);
    });

    it('says of a change whose answer is lost that nobody knows; asks a reading again', async () => {
      const here = await place();
      const { client, cable } = await here.distant({ timeout: 20 });
      await client.set('k', 1);
      const change = failure(client.increment('n'));
      const reading = client.get('k');
      cable.pull();
      expect(await change).toMatchObject({ code: 'GLOBALDATA_LOST' });
      await eventually(() => !client.connected);
      // What is asked now waits.
      const later = client.set('later', 1);
      cable.plug();
      expect(await reading).toBe(1);
      await later;
      expect(await client.has('later')).toBe(true);
    });

    it('gives up a server that is silent, and what was asked of it', async () => {
      const here = await place();
      const { client, cable } = await here.distant({ timeout: 0.4, heartbeat: 0.1 });
      await client.set('k', 1);
      cable.hold();
      expect(await failure(client.set('k', 2))).toMatchObject({ code: 'GLOBALDATA_LOST' });
      await eventually(() => !client.connected);
      cable.release();
      await eventually(() =>
        client.has('k').then(
          () => true,
          () => false,
        ),
      );
    });

    it('ends with close, with errors for all that is open', async () => {
      const client = (await place()).client();
      await client.set('k', 1);
      const open = [failure(client.set('k', 2)), failure(client.get('k'))];
      client.close();
      const codes = (await Promise.all(open)).map((each) => 'code' in each && each.code);
      expect(codes).toEqual(['GLOBALDATA_LOST', 'GLOBALDATA_UNAVAILABLE']);
      expect(await failure(client.get('k'))).toMatchObject({ code: 'GLOBALDATA_UNAVAILABLE' });
    });
  },
);

import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../../../operator/api/meta.ts';
import { resources } from '../../../operator/kube/resources.ts';
import { Reflector } from '../../../operator/kube/watch.ts';
import { Api, json } from './api.ts';

type Thing = KubeObject & { readonly data?: string };

const thing = (name: string, resourceVersion: string, data = ''): object => ({
  metadata: { namespace: 'n', name, resourceVersion, managedFields: [{ manager: 'x' }] },
  data,
});
const line = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`;
const mark = (resourceVersion: string) => line('BOOKMARK', { metadata: { resourceVersion } });

/** A server whose lists and watches are told one after the other; the last of each stays. */
async function serving(lists: object[], watches: ((response: ServerResponse) => unknown)[]) {
  const take = <T>(of: T[]): T => (of.length > 1 ? of.shift() : of[0]) as T;
  return Api.answering(({ query }, response) => {
    if (query['watch'] === 'true') return take(watches)(response.writeHead(200));
    return json(response, take(lists));
  });
}

const list = (resourceVersion: string, ...items: object[]) => ({
  metadata: { resourceVersion },
  items,
});

type Options = { relistMs?: number; silentMs?: number; optional?: boolean };

function reflect(api: Api, times: Options = {}): Reflector<Thing> {
  return new Reflector<Thing>({
    client: api.client(),
    resource: resources.ConfigMap,
    namespaces: ['n'],
    ...times,
  });
}

/** Waits for a change of this key to this version, or to nothing. */
function change(reflector: Reflector<Thing>, key: string, version?: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  reflector.onChange((changed, now) => {
    if (changed === key && now?.metadata.resourceVersion === version) resolve();
  });
  return promise;
}

describe('Reflector', () => {
  it('follows a watch cut anywhere, and begins the next one where the last one ended', async () => {
    const text = line('ADDED', thing('é', '6')) + line('MODIFIED', thing('a', '7')) + mark('8');
    const bytes = Buffer.from(text);
    await using api = await serving(
      [list('5', thing('a', '3'))],
      [
        async (response) => {
          for (let at = 0; at < bytes.length; at += 7) {
            response.write(bytes.subarray(at, at + 7));
            await new Promise(setImmediate);
          }
          response.end();
        },
        (response) => response.write(line('DELETED', thing('a', '9'))),
      ],
    );
    const reflector = reflect(api);
    const gone = change(reflector, 'n/a');
    await reflector.synced;
    await gone;
    expect([...reflector.store.keys()]).toEqual(['n/é']);
    expect(reflector.store.get('n/é')?.metadata).not.toHaveProperty('managedFields');
    const versions = api.asked.flatMap(({ query }) => query['resourceVersion'] ?? []);
    expect(versions).toEqual(['5', '8']);
    const [first] = api.asked.filter(({ query }) => query['watch']);
    expect(Number(first?.query['timeoutSeconds'])).toBeGreaterThanOrEqual(240);
    expect(Number(first?.query['timeoutSeconds'])).toBeLessThanOrEqual(360);
    expect([reflector.restarts, reflector.lists, reflector.missed]).toEqual([1, 1, 0]);
    reflector.stop();
  });

  it.each([
    ['too old', line('ERROR', { code: 410, reason: 'Expired', message: 'too old' }), 'Expired'],
  ])('lists again after %s', async (_, text, reason) => {
    await using api = await serving(
      [list('5', thing('a', '3'), thing('b', '4')), list('20', thing('a', '15'))],
      [(response) => response.end(text), (response) => response.write(mark('20'))],
    );
    const reflector = reflect(api);
    const reasons: string[] = [];
    reflector.onError = (error) => reasons.push(error.reason);
    await Promise.all([change(reflector, 'n/a', '15'), change(reflector, 'n/b')]);
    expect([...reflector.store.keys()]).toEqual(['n/a']);
    expect([reasons, reflector.lists, reflector.missed]).toEqual([[reason], 2, 0]);
    reflector.stop();
  });

  it.each([
    ['nonsense', 'what\n', 'Unreadable'],
    ['a line without an end', 'x'.repeat(16_777_217), 'Cut'],
  ])('begins a new watch after %s', async (_, text, reason) => {
    await using api = await serving(
      [list('5')],
      [
        (response) => response.end(text),
        (response) => response.write(line('ADDED', thing('a', '6'))),
      ],
    );
    const reflector = reflect(api);
    const reasons: string[] = [];
    reflector.onError = (error) => reasons.push(error.reason);
    await change(reflector, 'n/a', '6');
    expect([reasons, reflector.lists]).toEqual([[reason], 1]);
    reflector.stop();
  });

  it('goes without a kind that need not be defined, until it is', async () => {
    let defined = false;
    await using api = await Api.answering(({ query }, response) => {
      if (!defined) {
        response.writeHead(404).end('404 page not found');
        return;
      }
      if (query['watch'] === 'true') response.writeHead(200).write(mark('5'));
      else json(response, list('5', thing('a', '4')));
    });
    const reflector = reflect(api, { optional: true });
    const failure = Promise.withResolvers<unknown>();
    reflector.onError = failure.resolve;
    await reflector.synced;
    expect(await failure.promise).toMatchObject({ status: 404 });
    expect(reflector.store.size).toBe(0);
    defined = true;
    await change(reflector, 'n/a', '4');
    reflector.stop();
  });

  it('begins a new watch after a silence', async () => {
    await using api = await serving(
      [list('5')],
      [
        (response) => response.write(mark('6')),
        (response) => response.write(line('ADDED', thing('a', '7'))),
      ],
    );
    const reflector = reflect(api, { silentMs: 50 });
    const { promise, resolve } = Promise.withResolvers<unknown>();
    reflector.onError = resolve;
    await change(reflector, 'n/a', '7');
    expect(await promise).toMatchObject({
      reason: 'Silent',
      message: 'no sign of life for 0.05 s',
    });
    expect(api.asked.flatMap(({ query }) => query['resourceVersion'] ?? [])).toEqual(['5', '6']);
    reflector.stop();
  });

  it('finds what the watch did not tell, counts it, and watches anew', async () => {
    await using api = await serving(
      [
        list('5', thing('same', '1'), thing('changed', '2'), thing('gone', '3')),
        list('9', thing('same', '1'), thing('changed', '7'), thing('new', '8')),
      ],
      // It says that it has told all up to 9, and has not.
      [(response) => response.write(mark('9'))],
    );
    const reflector = reflect(api, { relistMs: 50 });
    await Promise.all([
      change(reflector, 'n/gone'),
      change(reflector, 'n/new', '8'),
      change(reflector, 'n/changed', '7'),
    ]);
    expect(reflector.missed).toBe(3);
    expect([...reflector.store.keys()].sort()).toEqual(['n/changed', 'n/new', 'n/same']);
    reflector.stop();
  });

  it('ends its watch when it is stopped', async () => {
    const watched = Promise.withResolvers<ServerResponse>();
    await using api = await serving(
      [list('5')],
      [
        (response) => {
          response.write(mark('5'));
          watched.resolve(response);
        },
      ],
    );
    const reflector = reflect(api);
    const errors: unknown[] = [];
    reflector.onError = (error) => errors.push(error);
    await reflector.synced;
    const closed = once(await watched.promise, 'close');
    reflector.stop();
    await closed;
    expect(errors).toEqual([]);
  });
});

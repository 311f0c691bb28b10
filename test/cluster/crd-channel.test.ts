import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { channelCrd } from '../../operator/api/crd.ts';
import { ApiServer, noApiServer } from './support/api-server.ts';
import { PATH } from './support/cluster.ts';
import { eventually, run } from './support/run.ts';
import { describeUnless } from './support/skip.ts';

/** The definition of ChannelServer on a real API server. What it shares with SocketServer is tested there. */

let server: ApiServer;

const kubectl = (args: readonly string[], object?: object): Promise<string> =>
  run('kubectl', args, {
    input: object === undefined ? '' : JSON.stringify(object),
    env: { PATH, KUBECONFIG: join(server.folder, 'admin.kubeconfig') },
  });

beforeAll(async () => {
  if (noApiServer !== undefined) return;
  server = await ApiServer.start();
  writeFileSync(join(server.folder, 'admin.kubeconfig'), server.kubeconfig({ token: 'admin' }));
  await kubectl(['apply', '--server-side', '-f', '-'], channelCrd());
  await eventually('the resource', () => kubectl(['get', 'lcs']).then(() => true), 30_000);
}, 180_000);
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

const named = (spec: object, name = 'events'): object => ({
  apiVersion: 'longshore.dev/v1alpha1',
  kind: 'ChannelServer',
  metadata: { name },
  spec,
});

async function refusal(object: object): Promise<string> {
  const answer = await kubectl(['create', '--dry-run=server', '-f', '-'], object).catch(
    (error: Error) => error,
  );
  if (!(answer instanceof Error)) throw new Error(`it was accepted: ${answer}`);
  return answer.message;
}

const nats = (...servers: string[]): object => ({ engine: 'nats', nats: { servers } });

/** A spec, and the sentence that has to be in the answer: it names the field, the value and the bound. */
const BAD: readonly (readonly [spec: object, sentence: RegExp])[] = [
  [{}, /spec\.image is needed for engine builtin/],
  [{ image: '' }, /spec\.image: Invalid value: "": .* at least 1 chars long/],
  [{ image: 'a b' }, /spec\.image: Invalid value: "a b"/],
  [
    { image: 'app:1', replicas: -1 },
    /spec\.replicas: Invalid value: -1: .* greater than or equal to 0/,
  ],
  [
    { image: 'app:1', replicas: 65 },
    /spec\.replicas: Invalid value: 65: .* less than or equal to 64/,
  ],
  [{ image: 'app:1', engine: 'kafka' }, /spec\.engine: .* "kafka": .* "builtin", "nats"/],
  [{ engine: 'nats' }, /spec\.nats\.servers is needed for engine nats/],
  [{ engine: 'nats', nats: {} }, /spec\.nats\.servers: Required value/],
  [nats(), /spec\.nats\.servers: Invalid value: 0: .* at least 1 items/],
  [nats('redis://a'), /it is redis:\/\/a, expected nats:\/\/host:port without a user or a path/],
  [nats('nats://me:word@a'), /expected nats:\/\/host:port without a user or a path/],
  [nats('nats://a', 'nats://a'), /spec\.nats\.servers\[1\]: Duplicate value: "nats:\/\/a"/],
  [nats(...Array.from({ length: 17 }, (_, i) => `nats://h${i}`)), /must have at most 16 items/],
  [
    { image: 'app:1', nats: { servers: ['nats://a'] } },
    /spec\.nats is set though spec\.engine is builtin/,
  ],
  [
    { image: 'app:1', history: { maxBytes: 1000 } },
    /spec\.history\.maxBytes: Invalid value: 1000: .* greater than or equal to 1048576/,
  ],
  [{ image: 'app:1', workers: [] }, /unknown field "spec\.workers"/],
  [
    { image: 'app:1', drain: { windowSeconds: 3601 } },
    /spec\.drain\.windowSeconds: Invalid value: 3601/,
  ],
  [
    { image: 'app:1', rollout: { maxSurge: 0, maxUnavailable: 0 } },
    /no pod could ever be replaced/,
  ],
  [{ image: 'app:1', tuning: { sysctls: { 'kernel.x': '1' } } }, /only net\.… belongs to a pod/],
];

describeUnless(noApiServer, 'the definition of ChannelServer', () => {
  it.each(
    BAD.map(([spec, sentence]) => [JSON.stringify(spec).slice(0, 90), spec, sentence] as const),
  )('refuses %s in a sentence', async (_, spec, sentence) => {
    expect(await refusal(named(spec))).toMatch(sentence);
  });

  it.each(['Events', '1events', `e${'x'.repeat(37)}`])('refuses the name %s', async (name) => {
    expect(await refusal(named({ image: 'app:1' }, name))).toMatch(
      /expected 1 to 37 lower-case letters, digits and -, beginning with a letter|RFC 1123|1 to 37/,
    );
  });

  it('takes both engines, and fills in the rest', async () => {
    await kubectl(['create', '-f', '-'], named({ image: 'app:1' }));
    const text = await kubectl(['get', 'lcs', 'events', '-o', 'json']);
    expect(JSON.parse(text).spec).toMatchObject({
      engine: 'builtin',
      replicas: 1,
      history: { maxBytes: 67_108_864 },
    });
    await kubectl(['create', '-f', '-'], named(nats('nats://a:4222', 'nats://b'), 'far'));
  });

  it('can be scaled', async () => {
    await kubectl(['scale', 'lcs', 'events', '--replicas=3']);
    expect(await kubectl(['get', 'lcs', 'events', '-o', 'jsonpath={.spec.replicas}'])).toBe('3');
  });
});

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../../../operator/api/meta.ts';
import { PEERS_KEY } from '../../../operator/api/names.ts';
import { PodAdmin } from '../../../operator/kube/pods.ts';
import { PeerBook } from '../../../operator/reconcile/peer-book.ts';
import { Tokens } from '../../../operator/reconcile/tokens.ts';
import { PeerScene } from '../../support/peer-scene.ts';
import { Api, json } from '../kube/api.ts';

type List = { readonly version: number; readonly channel?: readonly { readonly id: string }[] };

const MAP = 'chat-peers';
const versionIn = ({ data }: { data?: Record<string, string> }): number =>
  (JSON.parse(data?.[PEERS_KEY] ?? '{}') as List).version;

/** Admin ports of pods, on one port of many addresses of the loopback. */
async function adminPorts() {
  /** `version@address`, in order. */
  const taken: string[] = [];
  const sick = new Map<string, number>();
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const ip = request.socket.localAddress ?? '';
    const { version } = JSON.parse(Buffer.concat(parts).toString()) as List;
    taken.push(`${version}@${ip}`);
    response.writeHead(sick.get(ip) ?? 200).end('{}');
  });
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { taken, sick, server, admin: new PodAdmin({ port }) };
}

/** A server `chat` that refers to the ChannelServer `events`, an API server and the admin ports of its pods. */
async function world() {
  const scene = new PeerScene();
  const trouble = { status: 0 };
  const versions: number[] = [];
  const { taken, sick, server, admin } = await adminPorts();
  const api = await Api.answering(({ path, body }, response) => {
    const object = JSON.parse(body || '{}') as KubeObject & { data?: Record<string, string> };
    if (!path.includes('configmaps')) return json(response, object);
    if (trouble.status > 0) return json(response, { message: 'sorry' }, trouble.status);
    versions.push(versionIn(object));
    taken.push('ConfigMap');
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: '1' } };
    scene.copies.configMaps.put(stored);
    return json(response, stored);
  });
  const client = api.client();
  const tokens = new Tokens(client);
  const book = () =>
    new PeerBook({ client, admin, tokens, watches: scene.watches, reports: scene.reports });
  const chat = scene.server('chat', { channelRef: { name: 'events' } });
  const events = scene.channel('events');
  return {
    ...{ scene, trouble, versions, taken, sick, book, chat, events },
    pod: (name: string, ip: string, part = {}) => scene.pod(chat, name, ip, part),
    channelPod: (name: string, part = {}) => scene.pod(events, name, '10.0.0.1', part),
    [Symbol.asyncDispose]: async () => {
      admin.close();
      server.closeAllConnections();
      server.close();
      await api[Symbol.asyncDispose]();
    },
  };
}

describe('the lists of peers', () => {
  it('go into the ConfigMap first, then to all pods that run, and nowhere while nothing changes', async () => {
    await using here = await world();
    here.pod('p1', '127.0.0.1');
    here.pod('p2', '127.0.0.2');
    here.pod('p3', '127.0.0.3', { phase: 'Pending' });
    here.channelPod('c1');
    const book = here.book();
    expect(await book.push(here.chat)).toBeUndefined();
    expect(here.taken[0]).toBe('ConfigMap');
    expect(here.taken.slice(1).sort()).toEqual(['1@127.0.0.1', '1@127.0.0.2']);
    expect(book.of(here.chat)?.channel).toEqual([{ id: 'c1', address: '10.0.0.1:2206' }]);
    await book.push(here.chat);
    await book.bring(here.chat);
    expect(here.taken).toHaveLength(3);
    here.channelPod('c1', { ready: false });
    await book.push(here.chat);
    expect([here.versions, book.of(here.chat)?.channel]).toEqual([[1, 2], []]);
  });

  it('are given again to a pod that did not take them, to it alone, while it is ready', async () => {
    await using here = await world();
    here.pod('p1', '127.0.0.1');
    here.pod('p2', '127.0.0.2');
    here.pod('p3', '127.0.0.3', { ready: false });
    here.pod('p4', '127.0.0.4');
    here.channelPod('c1');
    // The third is not ready, the fourth will never take it: neither is asked again.
    for (const [ip, status] of [
      ['127.0.0.2', 503],
      ['127.0.0.3', 503],
      ['127.0.0.4', 404],
    ] as const)
      here.sick.set(ip, status);
    const book = here.book();
    expect(await book.push(here.chat)).toBe(1000);
    here.taken.length = 0;
    expect(await book.push(here.chat)).toBe(1000);
    here.sick.clear();
    expect(await book.push(here.chat)).toBeUndefined();
    expect(await book.push(here.chat)).toBeUndefined();
    expect(here.taken).toEqual(['1@127.0.0.2', '1@127.0.0.2']);
  });

  it('change one after the other, however many changes come at once', async () => {
    await using here = await world();
    here.pod('p1', '127.0.0.1');
    const book = here.book();
    const pushes = ['c1', 'c2', 'c3'].map((name) => {
      here.channelPod(name);
      return book.push(here.chat);
    });
    await Promise.all(pushes);
    // The first one saw all three pods already.
    expect([here.versions, here.taken]).toEqual([[1], ['ConfigMap', '1@127.0.0.1']]);
    here.channelPod('c4');
    await Promise.all([book.push(here.chat), book.bring(here.chat), book.push(here.chat)]);
    expect(here.versions).toEqual([1, 2]);
  });

  it('have versions that grow over a new operator, a lost ConfigMap and an edited one', async () => {
    await using here = await world();
    const p1 = here.pod('p1', '127.0.0.1');
    here.channelPod('c1');
    await here.book().push(here.chat);
    const later = here.book();
    await later.push(here.chat);
    expect([here.versions, later.of(here.chat)?.version]).toEqual([[1], 1]);
    here.channelPod('c2');
    await later.push(here.chat);
    expect(here.versions).toEqual([1, 2]);
    here.scene.copies.configMaps.store.clear();
    // The pod has heard of version 7 from an operator that we know nothing of.
    here.scene.hear(p1, [], 7);
    await here.book().push(here.chat);
    expect(here.versions).toEqual([1, 2, 8]);
    for (const text of ['{', '{"version":"9"}', '{"version":9,"channel":{}}', 'null']) {
      const stored = here.scene.copies.configMaps.store.get(`default/${MAP}`) as KubeObject;
      here.scene.copies.configMaps.put({ ...stored, data: { [PEERS_KEY]: text } } as KubeObject);
      here.scene.hear(p1, [], here.versions.at(-1));
      await here.book().push(here.chat);
    }
    expect(here.versions).toEqual([1, 2, 8, 9, 10, 11, 12]);
  });

  it('that the API server does not take reach no pod, and have the same version when it does', async () => {
    await using here = await world();
    here.pod('p1', '127.0.0.1');
    here.channelPod('c1');
    const book = here.book();
    here.trouble.status = 422;
    await expect(book.push(here.chat)).rejects.toThrow('sorry');
    expect(here.taken).toEqual([]);
    here.trouble.status = 0;
    await book.push(here.chat);
    expect(here.taken).toEqual(['ConfigMap', '1@127.0.0.1']);
  });

  it('do not overwrite a ConfigMap of somebody else, which is said', async () => {
    await using here = await world();
    const metadata = { name: MAP, namespace: 'default', uid: 'theirs' };
    here.scene.copies.configMaps.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata } as never);
    await expect(here.book().bring(here.chat)).rejects.toThrow(
      'ConfigMap chat-peers exists and is not ours',
    );
    expect(here.versions).toEqual([]);
  });

  it('are not made for a server that refers to nobody, and are forgotten with the server', async () => {
    await using here = await world();
    here.channelPod('c1');
    const book = here.book();
    await book.push(here.scene.server('plain'));
    expect(here.versions).toEqual([]);
    await book.push(here.chat);
    expect(book.of(here.chat)?.version).toBe(1);
    book.forget(here.chat.metadata.uid ?? '');
    expect(book.of(here.chat)).toBeUndefined();
  });
});

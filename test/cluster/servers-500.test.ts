import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { channelCrd, crd } from '../../operator/api/crd.ts';
import type { KubeObject } from '../../operator/api/meta.ts';
import type { SocketServer } from '../../operator/api/types.ts';
import type { Client } from '../../operator/kube/client.ts';
import { resources } from '../../operator/kube/resources.ts';
import { freePort } from '../support/program.ts';
import { ApiServer, type AuditEvent, noApiServer } from './support/api-server.ts';
import { eventually, ROOT } from './support/run.ts';
import { describeUnless } from './support/skip.ts';

const SERVERS = 500;
const SETTLED_MS = 60_000;
const RSS_MAX = 200 * 1024 * 1024;
const IDLE_MS = 60_000;
const EDIT_MS = 1000;
const USER = 'operator';
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const nameOf = (i: number): string => `server-${String(i).padStart(3, '0')}`;

let api: ApiServer;
let client: Client;
let operator: ChildProcess | undefined;

describeUnless(noApiServer, `the operator with ${SERVERS} servers of no pod`, () => {
  beforeAll(async () => {
    api = await ApiServer.start();
    client = api.client();
    await api.apply(`${CRDS}/socketservers.longshore.dev`, crd());
    await api.apply(`${CRDS}/channelservers.longshore.dev`, channelCrd());
    await eventually('the definition', () => client.list(resources.SocketServer));
    await create();
  }, 240_000);

  afterAll(async () => {
    await end();
    await api?.[Symbol.asyncDispose]();
  });

  it('has settled all of them within 60 s', async () => {
    const began = Date.now();
    await start();
    await eventually('all settled', async () => (await unsettled()) === 0, SETTLED_MS * 2);
    const ms = Date.now() - began;
    const requests = api.requestsOf(USER);
    const { rss, peak } = memory();
    console.log(
      `${SERVERS} servers settled in ${ms} ms; ${requests.length} requests: ${text(requests)}; ` +
        `RSS ${mib(rss)}, at most ${mib(peak)}`,
    );
    expect(ms).toBeLessThanOrEqual(SETTLED_MS);
    // Nothing was written twice; of what is created the request does not say the name. A server that is looked at again
    // before its own ReplicaSet has come back through the watch asks for it once more, and is refused.
    const refused = requests.filter(isRefusedCreate);
    expect(refused.length).toBeLessThanOrEqual(SERVERS / 100);
    const writes = requests
      .filter(isWrite)
      .filter(notLease)
      .filter((each) => !refused.includes(each));
    const [created, changed] = [writes.filter(isCreate), writes.filter((each) => !isCreate(each))];
    const twice = [...counts(changed, whole)].filter(([, count]) => count > 1);
    expect(twice).toEqual([]);
    // Of Secrets there is one more: the one that all servers of a namespace share for their inner ports.
    expect([...new Set(counts(created, kind).values())].sort()).toEqual([SERVERS, SERVERS + 1]);
    expect(peak).toBeLessThanOrEqual(RSS_MAX);
  }, 180_000);

  it('is idle then: it writes nothing but its lease, and asks at most once a second', async () => {
    await idle();
  }, 120_000);

  it('acts on an edit within a second', async () => {
    const took: number[] = [];
    for (const i of [0, 123, 499]) took.push(await edited(nameOf(i)));
    console.log(`edits acted on after ${took} ms`);
    expect(Math.max(...took)).toBeLessThanOrEqual(EDIT_MS);
  });

  it('starts anew without writing anything, and is as small', async () => {
    await end();
    const before = api.requestsOf(USER).length;
    await start();
    await eventually('it leads', async () => (await metric('longshore_operator_leader')) === 1);
    await eventually(
      'it has looked at all of them',
      async () => (await metric('longshore_operator_reconciles_total{result="ok"}')) >= SERVERS,
      SETTLED_MS,
    );
    const requests = api.requestsOf(USER).slice(before);
    expect(requests.filter(isWrite).filter(notLease)).toEqual([]);
    await idle();
    expect(memory().peak).toBeLessThanOrEqual(RSS_MAX);
  }, 240_000);
});

async function create(): Promise<void> {
  const all = Array.from({ length: SERVERS }, (_, i) =>
    client.create({
      apiVersion: 'longshore.dev/v1alpha1',
      kind: 'SocketServer',
      metadata: { name: nameOf(i), namespace: 'default' },
      spec: {
        replicas: 0,
        image: 'longshore.test/app:1',
        config: { greeting: `hello ${i}` },
        workers: [{ name: 'chat', count: 2, listen: 'websocket://0.0.0.0:7272' }],
      },
    } as unknown as SocketServer),
  );
  await Promise.all(all);
}

let port = 0;
let logged = '';

/** As in a pod: nothing of a kubeconfig is loaded. */
async function start(): Promise<void> {
  port = await freePort();
  const child = spawn(
    process.execPath,
    ['--conditions=longshore-source', '--disable-warning=ExperimentalWarning', 'operator/main.ts'],
    {
      cwd: ROOT,
      env: {
        NODE_OPTIONS: nodeOptions(),
        PATH: process.env['PATH'],
        ...api.podEnvironment(),
        LONGSHORE_OPERATOR_PORT: String(port),
        POD_NAME: 'operator-1',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    logged = (logged + more).slice(-10_000);
  });
  process.once('exit', () => child.kill('SIGKILL'));
  operator = child;
  await eventually('it is ready', async () => {
    if (child.exitCode !== null) throw new Error(`it ended: ${logged}`);
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  });
}

/** As the chart has it. */
function nodeOptions(): string {
  const deployment = readFileSync(join(ROOT, 'charts/longshore/templates/deployment.yaml'), 'utf8');
  return /name: NODE_OPTIONS\s+value: (.+)/.exec(deployment)?.[1] ?? '';
}

async function end(): Promise<void> {
  if (!operator || operator.exitCode !== null) return;
  const ended = once(operator, 'exit');
  operator.kill('SIGTERM');
  await ended;
}

/** Servers whose last edit is not carried out. */
async function unsettled(): Promise<number> {
  const { items } = await client.list<SocketServer>(resources.SocketServer);
  expect(items).toHaveLength(SERVERS);
  return items.filter(
    ({ metadata, status }) =>
      status?.observedGeneration !== metadata.generation ||
      !status?.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
  ).length;
}

async function idle(): Promise<void> {
  await quiet();
  const before = api.requestsOf(USER).length;
  await new Promise((next) => setTimeout(next, IDLE_MS));
  const requests = api.requestsOf(USER).slice(before);
  console.log(`a minute of rest: ${requests.length} requests: ${text(requests)}`);
  expect(requests.filter(isWrite).filter(notLease)).toEqual([]);
  expect(requests.length).toBeLessThanOrEqual(IDLE_MS / 1000);
}

/** What was still under way is over: nothing was written for two seconds. */
async function quiet(): Promise<void> {
  let [count, since] = [0, 0];
  await eventually('quiet', () => {
    const now = api.requestsOf(USER).filter(isWrite).filter(notLease).length;
    if (now !== count) [count, since] = [now, Date.now()];
    return Date.now() - since > 2000;
  });
}

/** Milliseconds until a changed configuration is in its ConfigMap and in the status. */
async function edited(name: string): Promise<number> {
  const ref = { resource: resources.SocketServer, namespace: 'default', name };
  const began = Date.now();
  const { metadata } = await client.patch(ref, { spec: { config: { greeting: 'bye' } } });
  await eventually('the edit', async () => {
    const { status } = await client.get<SocketServer>(ref);
    return status?.observedGeneration === metadata.generation;
  });
  const took = Date.now() - began;
  const map = await client.get<KubeObject & { data: object }>({
    resource: resources.ConfigMap,
    namespace: 'default',
    name: `${name}-config`,
  });
  expect(map.data).toEqual({ greeting: 'bye' });
  return took;
}

const isWrite = ({ verb }: AuditEvent): boolean => !['get', 'list', 'watch'].includes(verb);
const isCreate = ({ verb }: AuditEvent): boolean => verb === 'create';
const isRefusedCreate = (event: AuditEvent): boolean =>
  isCreate(event) && event.responseStatus?.code === 409;
const notLease = ({ objectRef }: AuditEvent): boolean => objectRef?.resource !== 'leases';

const kind = ({ verb, objectRef }: AuditEvent): string =>
  [verb, objectRef?.resource ?? '/', ...(objectRef?.subresource ? ['status'] : [])].join(' ');
const whole = (event: AuditEvent): string => `${kind(event)} ${event.requestURI}`;

function counts(events: readonly AuditEvent[], by: (event: AuditEvent) => string) {
  const map = new Map<string, number>();
  for (const event of events) map.set(by(event), (map.get(by(event)) ?? 0) + 1);
  return map;
}

const text = (events: readonly AuditEvent[]): string =>
  [...counts(events, kind)].map(([name, count]) => `${count} ${name}`).join(', ');

/** Of the operator's process, in bytes. */
function memory(): { rss: number; peak: number } {
  const status = readFileSync(join('/proc', String(operator?.pid), 'status'), 'utf8');
  const of = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) * 1024;
  return { rss: of('VmRSS'), peak: of('VmHWM') };
}

const mib = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MiB`;

async function metric(name: string): Promise<number> {
  const body = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const line = body.split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.split(' ')[1]);
}

// The operator: wiring only.
import { hostname } from 'node:os';
import { EXIT, VERSION } from '../src/contract.ts';
import { OPERATOR_PORT, serveHealth } from './health.ts';
import { ApiError } from './kube/api-error.ts';
import { Client } from './kube/client.ts';
import { Recorder } from './kube/events.ts';
import { Elector } from './kube/lease.ts';
import { PodAdmin } from './kube/pods.ts';
import { Queue } from './kube/queue.ts';
import { OperatorMetrics } from './metrics.ts';
import { InnerSecrets } from './reconcile/inner-secrets.ts';
import { log } from './reconcile/log.ts';
import { PeerBook } from './reconcile/peer-book.ts';
import { Reconciler } from './reconcile/reconciler.ts';
import { Reports } from './reconcile/reports.ts';
import { serverAt } from './reconcile/servers.ts';
import { Tokens } from './reconcile/tokens.ts';
import { follow } from './reconcile/wake.ts';
import { Watches } from './reconcile/watches.ts';

/** Servers in work at the same time; most of the time goes into waiting for pods to answer. */
const WORKERS = 16;

const namespaces = list(process.env['LONGSHORE_OPERATOR_NAMESPACES']);
const identity = process.env['POD_NAME'] || hostname();
const home = process.env['LONGSHORE_OPERATOR_LEASE_NAMESPACE'] || 'default';
const port = Number(process.env['LONGSHORE_OPERATOR_PORT'] || OPERATOR_PORT);

const client = Client.connect();
// Of its own: a lease must not wait in line behind everything else.
const leaseClient = Client.connect();
const recorder = new Recorder({
  client,
  controller: 'longshore.dev/operator',
  instance: identity.slice(0, 128),
});
const admin = new PodAdmin();
const tokens = new Tokens(client);
const reports = new Reports();
const watches = new Watches(client, namespaces);
const peers = new PeerBook({ client, admin, tokens, watches, reports });
let reconciler: Reconciler | undefined;
const queue = new Queue({
  workers: WORKERS,
  work: async (key) => {
    const ms = await reconciler?.reconcile(key);
    if (ms !== undefined) queue.addAfter(key, ms);
  },
  onDone: (key, seconds, error) => {
    metrics.looked(seconds, error);
    if (error !== undefined) log.error('reconcile failed', { server: key, error: String(error) });
  },
});
/** Of their own: whoever waits for an answer of a pod keeps nobody from hearing that another one is gone. */
const pushes = new Queue({
  workers: WORKERS,
  work: async (key) => {
    const server = serverAt(watches, key);
    const ms = server && (await peers.push(server));
    if (ms !== undefined) pushes.addAfter(key, ms);
  },
  onDone: (key, _, error) => {
    if (error !== undefined) log.error('peers failed', { server: key, error: String(error) });
  },
});
let synced = false;
let ending = false;
const metrics = new OperatorMetrics({
  clients: [client, leaseClient],
  queue,
  watches,
  recorder,
  leads: () => elector.leads,
});
const elector = new Elector({
  client: leaseClient,
  namespace: home,
  name: 'longshore-operator',
  identity,
  // Whoever leads next may have begun: nothing may be done any more, not even in good order.
  onLost: (why) => {
    log.error('not the leader any more', { why });
    process.exit(1);
  },
  onError: (error) => log.warn('lease', { error: String(error) }),
});

for (const [resource, reflector] of watches.all)
  reflector.onError = (error) => log.warn('watch', { resource, error: error.message });

const server = await serveHealth(
  {
    unready: () => (ending ? 'ending' : synced ? undefined : 'not everything is listed yet'),
    metrics: () => metrics.registry.metrics(),
  },
  port,
);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end(signal));

log.info('starting', { version: VERSION, identity, namespaces: namespaces ?? 'all' });
const { minor, text } = await versionOf();
await watches.synced();
synced = true;
log.info('synced', { kubernetes: text, servers: watches.servers.store.size });
await elector.elected;
log.info('leading');
reconciler = new Reconciler(
  { watches, admin, tokens, reports, peers, serverMinor: minor },
  { client, admin, tokens, recorder },
  new InnerSecrets(client),
);
follow(watches, reports, { look: (key) => queue.add(key), push: (key) => pushes.add(key) });

/** The API server may be away when we come up. */
async function versionOf(): Promise<{ minor: number; text: string }> {
  for (;;) {
    try {
      return await client.version();
    } catch (error) {
      if (error instanceof ApiError && error.reason === 'Credentials') giveUp(error);
      log.warn('the API server does not answer', { error: String(error) });
      await new Promise((next) => setTimeout(next, 2000));
    }
  }
}

/** Without a cluster to go to there is nothing to wait for. */
function giveUp({ message }: ApiError): never {
  log.error('no cluster: this is no pod, and there is no kubeconfig that says where one is', {
    error: message,
  });
  process.exit(EXIT.neverStarts);
}

async function end(signal: string): Promise<void> {
  if (ending) return;
  ending = true;
  log.info('ending', { signal });
  watches.stop();
  await Promise.all([queue.stop(), pushes.stop()]);
  await recorder.idle();
  await elector.stop();
  server.close();
  admin.close();
  client.close();
  leaseClient.close();
  process.exit(0);
}

/** `a, b` as a list; `undefined` for nothing. */
function list(text: string | undefined): string[] | undefined {
  const names = (text ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  return names.length > 0 ? names : undefined;
}
